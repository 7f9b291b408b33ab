/** The image that is open: what all parts of its page work on. */

import { get, getLabel, imagePath, type StoredLabel, type ImageCard, type ImageInfo, type Part } from "../api";
import type { Map2d } from "../label/paint";
import { imageLink } from "../links";
import { theProject } from "../project";
import { classPalette, MaskLayer, type Palette } from "../viewer/mask";
import { ImageView } from "../viewer/view";
import { showRegion } from "./region";

export class OpenImage {
  /** As it was when the image was opened: the values of the label are indices of these classes. */
  readonly project = theProject();
  /** What the server last said of the image. */
  card: ImageCard | undefined;
  /** The first class is the background; it is not coloured unless the user wants it. */
  showFirstClass = false;
  readonly label: Map2d;
  readonly labelLayer: MaskLayer;
  /** Whether another page is shown: answers that come then are dropped. */
  left = false;
  readonly view: ImageView;

  constructor(
    readonly name: string,
    readonly info: ImageInfo,
    data: Uint8Array,
  ) {
    this.card = this.project.images.find((card) => card.name === name);
    this.label = { data, width: info.width, height: info.height };
    this.labelLayer = new MaskLayer(info.width, info.height, data, this.colours());
    this.view = new ImageView(info, () => this.placed());
    this.view.layers = [this.labelLayer];
  }

  /** What to do when the view has its place. */
  placed: () => void = () => void showRegion(this.view);

  colours(): Palette {
    return classPalette(this.project.classes, this.showFirstClass);
  }

  /** Shows the image alone, while a key is held. */
  hideLayers(hidden: boolean): void {
    this.view.layersHidden = hidden;
    this.view.draw();
  }

  /** The models that have segmented the image. */
  get models(): string[] {
    return this.card?.predicted ?? [];
  }

  get whole(): Part {
    return { x: 0, y: 0, width: this.info.width, height: this.info.height };
  }

  /** The address of the image that comes so many places after this one; after the last comes the first. */
  neighbour(by: number): string {
    const names = this.project.images.map((card) => card.name);
    return imageLink(names[(names.indexOf(this.name) + by + names.length) % names.length]);
  }
}

/** Loads an image with its label. */
export async function openImage(name: string): Promise<{ image: OpenImage; stored: StoredLabel }> {
  const info = await get<ImageInfo>(imagePath(name));
  const stored = await getLabel(name);
  return { image: new OpenImage(name, info, stored.data), stored };
}
