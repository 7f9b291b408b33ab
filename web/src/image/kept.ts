/** What stays when another image is opened: the next one is drawn on as this one was. */

import type { Tool } from "../label/tools";
import type { Point } from "../viewer/view";
import { IGNORE } from "../viewer/mask";
import type { Editor } from "../label/editor";
import type { Comparison, Shown } from "./comparison";
import type { LookSettings } from "./look_settings";
import type { OpenImage } from "./open_image";
import { showRegion } from "./region";

/** Kept while the page is open. */
interface Settings {
  classIndex: number;
  radius: number;
  greys: [number, number];
  opacity_percent: string;
  outlineOnly: boolean;
  brightness_percent: number;
  contrast_percent: number;
}

/** Kept from one image to the next, not over other views: who comes from the gallery looks first. */
interface Walk {
  tool: Tool;
  shown: Shown;
  showFirstClass: boolean;
  /** Null while the whole image is shown. */
  place: Place | null;
}

/** A place of the view: the middle as shares of width and height, and pixels of the screen for one of the image. */
interface Place {
  middle: Point;
  zoom: number;
}

let settings: Settings | null = null;
let walk: Walk | null = null;
/** Where the last image was to open; it may be left before it is there. */
let cameTo: Place | null = null;

/** The parts of the page of an image that have settings. */
interface Parts {
  image: OpenImage;
  editor: Editor;
  comparison: Comparison;
  lookSettings: LookSettings;
}

/** The image is left. */
export function keepWork({ image, editor, comparison, lookSettings }: Parts): void {
  const { view } = image;
  const { classIndex, radius, greys, tool } = editor;
  const { brightness_percent, contrast_percent } = lookSettings;
  const { outlineOnly, opacity, shown } = comparison;
  const opacity_percent = opacity.value;
  settings = { classIndex, radius, greys, outlineOnly, brightness_percent, contrast_percent, opacity_percent };
  const place = view.isPlaced ? placeOf(image) : cameTo;
  const onTheWay: Walk = { tool, shown, showFirstClass: image.showFirstClass, place };
  walk = location.hash.startsWith("#/image/") ? onTheWay : null;
}

function placeOf({ view, info }: OpenImage): Place | null {
  const at = view.transform();
  if (!at || view.isFit) return null;
  const seen = view.visibleBox();
  const middle = { x: (seen.left + seen.right) / 2 / info.width, y: (seen.top + seen.bottom) / 2 / info.height };
  return { middle, zoom: at.zoom };
}

/** The image is drawn on as the one before it was. */
export function goOn({ image, editor, comparison, lookSettings }: Parts, from: Walk | null): void {
  const { info, project, view } = image;
  if (settings) {
    const { classIndex, radius, greys, outlineOnly, brightness_percent, contrast_percent } = settings;
    if (classIndex === IGNORE || classIndex < project.classes.length) editor.classIndex = classIndex;
    editor.radius = radius;
    editor.greys.splice(0, 2, ...greys);
    comparison.opacity.value = settings.opacity_percent;
    lookSettings.set(outlineOnly, brightness_percent, contrast_percent);
  }
  const place = (cameTo = from?.place ?? null);
  image.placed = () => {
    if (showRegion(view) || !place) return;
    view.zoomTo(place.zoom, { x: place.middle.x * info.width, y: place.middle.y * info.height });
  };
  if (from) {
    image.showFirstClass = from.showFirstClass;
    image.labelLayer.recolour(image.colours());
    editor.setTool(from.tool);
  }
  void comparison.goOnWith(from?.shown ?? comparison.shown);
}

/** What the image that was left gives to this one, once. */
export function takeWalk(): Walk | null {
  const found = walk;
  walk = null;
  return found;
}
