/** The tools at work: what each of them does to the label, or to a draft while one is made. */

import { get, getMap, imagePath, type Part, type Span } from "../api";
import { toast } from "../messages";
import { IGNORE, type Box } from "../viewer/mask";
import type { ImageView, Point } from "../viewer/view";
import type { Draft } from "./draft";
import type { EditedLabel, Target } from "./edited_label";
import { cursorMark, polygonMark } from "./marks";
import { joined, line, NOTHING, polygon, region, spans, type Allowed, type Map2d } from "./paint";
import { PointerInput } from "./pointer";
import { drawsLines, type Tool } from "./tools";

export class Editor {
  tool: Tool = "look";
  /** The class that tools paint with. */
  classIndex = 1;
  /** Of the brush, in pixels of the image. */
  radius = 6;
  /** The threshold brush paints only where the image's grey lies between these. */
  greys: [number, number] = [128, 255];
  /** While a draft is made, tools draw on it and not on the label. */
  draft: Draft | null = null;
  cursor: Point;
  /** Of the polygon that is not closed yet. */
  corners: Point[] = [];
  /** Milliseconds from a pointer's event to its pixels on the canvas. */
  readonly latencies: number[] = [];
  private grey: Uint8Array | null = null;
  /** Where the line that is being drawn ends so far. */
  private lineEnd: Point | null = null;
  /** What that line has changed so far. */
  private lineBox: Box = NOTHING;

  constructor(
    readonly view: ImageView,
    readonly label: EditedLabel,
    /** A click that is to measure an object. */
    readonly clicked: (at: Point) => void,
    /** Tool, class or brush have changed. */
    private changed: () => void,
  ) {
    this.cursor = { x: this.map.width / 2, y: this.map.height / 2 };
    view.marks.push(polygonMark(this), cursorMark(this));
    new PointerInput(this);
  }

  get map(): Map2d {
    return this.label.map;
  }

  get drawing(): boolean {
    return this.lineEnd !== null;
  }

  private get target(): Target {
    return this.draft ?? this.label;
  }

  setTool(tool: Tool): void {
    this.tool = tool;
    this.corners = [];
    this.view.canvas.classList.toggle("active", tool !== "look");
    if (tool === "threshold") void this.loadGrey();
    this.changed();
    this.view.draw();
  }

  setRadius(radius: number): void {
    this.radius = Math.min(400, Math.max(0.5, Math.round(radius * 2) / 2));
    this.changed();
    this.view.draw();
  }

  private async loadGrey(): Promise<void> {
    if (this.grey) return;
    this.grey = (await getMap(`${imagePath(this.view.info.name)}/grey`)).data;
  }

  /** Begins what the tool does at a place; a line goes on until `end`. */
  begin(at: Point, evenBackground: boolean): void {
    if (this.tool === "polygon") {
      this.corners.push(at);
      this.view.draw();
    } else if (drawsLines(this.tool)) {
      this.lineEnd = at;
      this.lineBox = NOTHING;
      this.lineTo(at);
    } else if (this.view.inside(at)) {
      void this.changeObject(at, evenBackground);
    }
  }

  /** Draws the line on to a place. */
  lineTo(to: Point): void {
    const { map, layer } = this.target;
    const { value, radius } = this.pen();
    const box = line(map, this.lineEnd ?? to, to, radius, value, this.allowed());
    this.lineEnd = to;
    if (box.left >= box.right || box.top >= box.bottom) return;
    this.lineBox = joined(this.lineBox, box);
    layer.changed(box);
  }

  end(): void {
    if (!this.lineEnd) return;
    this.lineEnd = null;
    this.target.commit(this.lineBox);
    this.view.draw();
  }

  /** What the tool draws a line with. */
  private pen(): { value: number; radius: number } {
    if (this.tool === "split") return { value: 0, radius: 1 };
    if (this.tool === "merge") return { value: this.classIndex, radius: 2 };
    return { value: this.tool === "erase" ? IGNORE : this.classIndex, radius: this.radius };
  }

  /** Which pixels the tool may paint; `undefined` means all. */
  private allowed(): Allowed | undefined {
    const { grey } = this;
    const [low, high] = this.greys;
    return this.tool === "threshold" && grey ? (i) => grey[i] >= low && grey[i] <= high : undefined;
  }

  /** The tools that change a whole object. `evenBackground`: pixels of the first class count as an object too. */
  private async changeObject(at: Point, evenBackground: boolean): Promise<void> {
    const before = this.map.data[Math.floor(at.y) * this.map.width + Math.floor(at.x)];
    if (this.tool === "smart") {
      const place = `x=${Math.floor(at.x)}&y=${Math.floor(at.y)}`;
      const found = await get<{ spans: Span[] }>(`${imagePath(this.view.info.name)}/fill?${place}`);
      if (!found.spans.length) return toast("Nothing stands out here");
      this.put(found.spans, this.classIndex);
    } else if (this.tool === "fill" || this.tool === "relabel") {
      if (this.tool === "relabel" && before === 0 && !evenBackground) return toast("This is no object");
      this.put(region(this.map, at), this.classIndex);
    } else if (this.tool === "delete") {
      if (before === 0 || before === IGNORE) return toast("This is no object");
      this.put(region(this.map, at), 0);
    }
  }

  /** Gives rows of pixels a class. */
  private put(rows: Span[], value: number): void {
    this.finish(spans(this.target.map, rows, value));
    this.view.draw();
  }

  closePolygon(): void {
    const corners = this.corners;
    this.corners = [];
    if (corners.length >= 3) this.finish(polygon(this.target.map, corners, this.classIndex));
    this.view.draw();
  }

  /** Shows a change that is made in one go. */
  private finish(box: Box): void {
    this.target.layer.changed(box);
    this.target.commit(box);
  }

  /** Replaces a part of the label, or all of it; can be undone. */
  take(data: Uint8Array, part: Part): void {
    this.label.take(data, part);
    this.view.draw();
  }

  /** The label was changed elsewhere. */
  reset(data: Uint8Array): void {
    this.label.reset(data);
    // A line that is being drawn belongs to the old label.
    this.lineEnd = null;
    this.view.draw();
  }

  undo(): void {
    if (this.corners.length) this.corners.pop();
    else this.label.undo();
    this.view.draw();
  }

  redo(): void {
    this.label.redo();
    this.view.draw();
  }
}
