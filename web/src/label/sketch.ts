/** The strokes that drafts of an image are made from: loaded, edited, saved. They stay with the image. */

import { getStrokes, putStrokes } from "../api";
import { IGNORE, MaskLayer, type Palette } from "../viewer/mask";
import { listen } from "../server_events";
import { EditedLabel } from "./edited_label";
import { keep, left, mark, redraw, saved, type Drawn, type Place } from "./journal";
import { StrokeQueue } from "./stroke_queue";
import type { Box } from "../viewer/mask";

const placeOf = (name: string): Place => `strokes/${name}`;

/** The picture that strokes are drawn on, by image. */
const pictures = new Map<string, string>();

export const strokeQueue = new StrokeQueue(async (name, strokes) => {
  const held = mark();
  await putStrokes(name, strokes);
  saved(placeOf(name), held, pictures.get(name) ?? "");
});

// After a new start the server refuses all until its new address is opened.
listen((event) => event.kind === "back" && strokeQueue.sendAll());

window.addEventListener("beforeunload", (event) => {
  if (!strokeQueue.empty) event.preventDefault();
});

interface Of {
  name: string;
  width: number;
  height: number;
  version: string;
}

export class Sketch {
  /** Null until the draft is opened first. */
  strokes: EditedLabel | null = null;
  /** Whether there is any stroke. */
  any = false;
  private loading: Promise<Uint8Array | null> | null = null;

  constructor(
    private image: Of,
    private colours: Palette,
    /** Strokes have changed in a box. */
    private changed: (box: Box) => void,
  ) {}

  /** Loads the strokes that there are; after a failure, tries again. */
  load(): Promise<Uint8Array | null> {
    this.loading ??= this.read().catch((error: unknown) => {
      this.loading = null;
      throw error;
    });
    return this.loading;
  }

  private async read(): Promise<Uint8Array | null> {
    const { name, width, height, version } = this.image;
    pictures.set(name, version);
    // What the server does not have yet is newer than what it has.
    const known = strokeQueue.unsaved(name) ?? (await this.readAndRedraw());
    if (known?.length !== width * height) return null;
    this.any = hasStrokes(known);
    return known;
  }

  /** What the server has, and what pages drew on it that ended before they could send it. */
  private async readAndRedraw(): Promise<Uint8Array | null> {
    const { name, width, height } = this.image;
    const pending = (await left(placeOf(name))).filter(({ base }) => base === this.image.version);
    const known = await getStrokes(name);
    if (!pending.length || (known && known.length !== width * height)) return known;
    const data = known ?? new Uint8Array(width * height).fill(IGNORE);
    for (const { drawn, forget } of pending) {
      for (const step of drawn) {
        redraw(data, step);
        keep(placeOf(name), this.image.version, step);
      }
      forget();
    }
    strokeQueue.changed(name, () => this.strokes?.finished ?? data);
    return data;
  }

  /** The strokes, to draw on. */
  async open(): Promise<EditedLabel> {
    const loaded = await this.load();
    if (this.strokes) return this.strokes;
    const { width, height } = this.image;
    const data = loaded ?? new Uint8Array(width * height).fill(IGNORE);
    const layer = new MaskLayer(width, height, data, strokePalette(this.colours));
    layer.opacity = 0.95;
    // The first class is often black, and black strokes cannot be seen on a dark image.
    layer.hatched = 0;
    this.strokes = new EditedLabel({ data, width, height }, layer, (box, _, drawn) => this.edited(data, box, drawn));
    return this.strokes;
  }

  private edited(data: Uint8Array, box: Box, drawn: Drawn): void {
    keep(placeOf(this.image.name), this.image.version, drawn);
    this.any = hasStrokes(data);
    strokeQueue.changed(this.image.name, () => this.strokes?.finished ?? data);
    this.changed(box);
  }

  /** Takes all strokes away, as one step that can be undone. */
  async remove(): Promise<void> {
    const { width, height } = this.image;
    (await this.open()).take(new Uint8Array(width * height).fill(IGNORE), { x: 0, y: 0, width, height });
  }

  /** The image is left. */
  close(): void {
    void strokeQueue.sendNow(this.image.name);
  }
}

const hasStrokes = (data: Uint8Array): boolean => data.some((value) => value !== IGNORE);

/** Colours of strokes: every class is seen, and where there is no stroke, nothing is. */
export function strokePalette(colours: Palette): Palette {
  const table = colours.slice();
  table[3] = 255;
  table.fill(0, IGNORE * 4);
  return table;
}
