/** The tools at work: what each of them does to the label, or to the strokes of a draft while one is open. */

import type { Part, Span } from "../api";
import { toast, toastError } from "../messages";
import { IGNORE, type Box } from "../viewer/mask";
import type { ImageView, Point } from "../viewer/view";
import type { Draft } from "./draft";
import type { EditedLabel } from "./edited_label";
import { GreyLevels } from "./grey_levels";
import type { Made } from "./history";
import { cursorMark, polygonMark } from "./marks";
import { joined, line, NOTHING, polygon, region, spans, type Allowed, type Map2d } from "./paint";
import { PointerInput } from "./pointer";
import { smartFill } from "./smart_fill";
import { drawsLines, type Tool } from "./tools";

export class Editor {
  tool: Tool = "look";
  /** The class that tools paint with. */
  classIndex = 1;
  /** Of the brush, in pixels of the image. */
  radius = 6;
  /** The threshold brush paints only where the image's grey lies between these. */
  greys: [number, number] = [128, 255];
  /** While a draft is open, tools draw on its strokes and not on the label. */
  draft: Draft | null = null;
  cursor: Point;
  /** Of the polygon that is not closed yet. */
  corners: Point[] = [];
  /** Milliseconds from a pointer's event to its pixels on the canvas. */
  readonly latencies: number[] = [];
  readonly grey: GreyLevels;
  /** Where the line that is being drawn ends so far. */
  private lineEnd: Point | null = null;
  /** What that line has changed so far. */
  private lineBox: Box = NOTHING;

  constructor(
    readonly view: ImageView,
    readonly label: EditedLabel,
    /** A click that is to measure an object. */
    readonly clicked: (at: Point) => void,
    /** Tool, class, brush, or what can be undone have changed. */
    private changed: () => void,
  ) {
    this.cursor = { x: this.map.width / 2, y: this.map.height / 2 };
    this.grey = new GreyLevels(view.info.name);
    view.marks.push(polygonMark(this), cursorMark(this));
    new PointerInput(this);
  }

  get map(): Map2d {
    return this.label.map;
  }

  get drawing(): boolean {
    return this.lineEnd !== null;
  }

  /** What tools draw on. */
  get target(): EditedLabel {
    return this.draft?.strokes ?? this.label;
  }

  get canUndo(): boolean {
    return this.corners.length > 0 || this.target.history.canUndo;
  }

  get canRedo(): boolean {
    return this.target.history.canRedo;
  }

  /** An open polygon stays: it is closed by Enter, whatever the tool is then. */
  setTool(tool: Tool): void {
    this.end();
    this.tool = tool;
    this.view.canvas.classList.toggle("active", tool !== "look");
    if (tool === "threshold") this.grey.load().catch(toastError);
    this.changed();
    this.view.draw();
  }

  setRadius(radius: number): void {
    this.radius = Math.min(400, Math.max(0.5, Math.round(radius * 2) / 2));
    this.changed();
    this.view.draw();
  }

  /** Begins what the tool does at a place; a line goes on until `end`. */
  begin(at: Point, evenBackground: boolean): void {
    if (this.tool === "polygon") {
      this.corners.push(at);
      this.changed();
      this.view.draw();
    } else if (this.tool === "threshold" && !this.grey.data) {
      toast("The grey levels of the image are not loaded yet");
      this.grey.load().catch(toastError);
    } else if (drawsLines(this.tool)) {
      this.lineEnd = at;
      this.lineBox = NOTHING;
      this.lineTo(at);
    } else if (this.view.inside(at)) {
      this.changeObject(at, evenBackground);
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

  /** Takes back the line that is being drawn. */
  cancelLine(): void {
    if (!this.lineEnd) return;
    this.lineEnd = null;
    this.target.cancel(this.lineBox);
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
    const { data } = this.grey;
    const [low, high] = this.greys;
    return this.tool === "threshold" && data ? (i) => data[i] >= low && data[i] <= high : undefined;
  }

  /** The tools that change a whole object. `evenBackground`: pixels of the first class count as an object too. */
  private changeObject(at: Point, evenBackground: boolean): void {
    const { map } = this.target;
    const before = map.data[Math.floor(at.y) * map.width + Math.floor(at.x)];
    if (this.tool === "smart") {
      void smartFill(this, at);
    } else if (this.tool === "fill" || this.tool === "relabel") {
      if (this.tool === "relabel" && before === 0 && !evenBackground) return toast("This is no object");
      this.put(region(map, at), this.classIndex);
    } else if (this.tool === "delete") {
      if (before === 0 || before === IGNORE) return toast("This is no object");
      this.put(region(map, at), 0);
    }
  }

  /** Gives rows of pixels a class. */
  put(rows: Span[], value: number): void {
    this.end();
    this.finish(spans(this.target.map, rows, value));
    this.view.draw();
  }

  closePolygon(): void {
    const { corners } = this;
    if (corners.length < 3) {
      if (corners.length) toast("A polygon needs three corners. Click, or press Space, to set one.");
      return;
    }
    this.corners = [];
    this.finish(polygon(this.target.map, corners, this.classIndex));
    this.view.draw();
  }

  /** Takes the last corner of the open polygon away. */
  dropCorner(): void {
    this.corners.pop();
    this.changed();
    this.view.draw();
  }

  /** Shows a change that is made in one go. */
  private finish(box: Box): void {
    this.target.layer.changed(box);
    this.target.commit(box);
  }

  /** Replaces a part of the label, or all of it; can be undone. */
  take(data: Uint8Array, part: Part, made?: Made): void {
    this.end();
    this.label.take(data, part, made);
    this.view.draw();
  }

  /** The label was changed elsewhere. */
  reset(data: Uint8Array, drawnByHand: boolean): void {
    // A line that is being drawn on it belongs to the old label.
    if (!this.draft) this.lineEnd = null;
    this.label.reset(data, drawnByHand);
    this.view.draw();
  }

  undo(): void {
    this.end();
    if (this.corners.length) return this.dropCorner();
    this.target.undo();
    this.changed();
    this.view.draw();
  }

  redo(): void {
    this.end();
    this.target.redo();
    this.changed();
    this.view.draw();
  }
}
