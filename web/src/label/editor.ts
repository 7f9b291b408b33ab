/** The label under the hands: tools, undo, pointer and keyboard. */

import { get, getMap, imagePath, type Span } from "../api";
import { toast } from "../dom";
import { IGNORE, MaskLayer, type Box } from "../viewer/mask";
import type { ImageView, Point } from "../viewer/view";
import { History } from "./history";
import { joined, line, NOTHING, polygon, region, spans, type Map2d } from "./paint";
import type { Sketch } from "./sketch";

export type Tool = "look" | "brush" | "erase" | "polygon" | "fill" | "threshold" | "smart" | "relabel" | "delete" | "split" | "merge";

/** Key, name and what it does. */
export const TOOLS: [Tool, string, string, string][] = [
  ["look", "v", "Look", "Move the image; click an object for its measurements"],
  ["brush", "b", "Brush", "Paint the class"],
  ["erase", "e", "Eraser", "Take labels away: the pixels are to be ignored"],
  ["polygon", "p", "Polygon", "Click corners; Enter or a double click closes"],
  ["smart", "s", "Smart fill", "Click an object: its outline is found"],
  ["threshold", "t", "Threshold brush", "Paint only pixels between the two grey levels"],
  ["fill", "f", "Fill", "Give a patch of one label the class"],
  ["relabel", "r", "Relabel", "Click an object: it gets the class"],
  ["delete", "x", "Delete", "Click an object: it becomes the first class"],
  ["split", "k", "Split", "Draw a cut of the first class through an object"],
  ["merge", "j", "Merge", "Draw a bridge between objects of the class"],
];

export class Editor {
  tool: Tool = "look";
  klass = 1;
  radius = 6;
  greys: [number, number] = [128, 255];
  readonly layer: MaskLayer;
  readonly history: History;
  sketch: Sketch | null = null;
  private shadow: Uint8Array;
  private grey: Uint8Array | null = null;
  private last: Point | null = null;
  private box: Box = NOTHING;
  private corners: Point[] = [];
  private held: { x: number; y: number } | null = null;
  cursor: Point;
  /** Milliseconds from a pointer's event to its pixels on the canvas. */
  readonly latencies: number[] = [];

  constructor(
    readonly view: ImageView,
    readonly map: Map2d,
    layer: MaskLayer,
    private changed: () => void,
    private clicked: (at: Point) => void,
    private redraw: () => void,
  ) {
    this.layer = layer;
    this.history = new History(map.data, map.width);
    this.shadow = map.data.slice();
    this.cursor = { x: map.width / 2, y: map.height / 2 };
    const canvas = view.canvas;
    canvas.addEventListener("pointerdown", this.down);
    canvas.addEventListener("pointermove", this.move);
    canvas.addEventListener("pointerup", this.up);
    canvas.addEventListener("pointercancel", this.up);
    canvas.addEventListener("dblclick", () => this.closePolygon());
    canvas.addEventListener("wheel", this.wheel, { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    view.viewer.addHandler("canvas-click", (event) => {
      const at = view.pixel(event.originalEvent as PointerEvent);
      if (event.quick && this.tool === "look" && view.inside(at)) this.clicked(at);
    });
    view.marks.push((context, at) => {
      if (!this.corners.length) return;
      context.strokeStyle = "#ffffff";
      context.lineWidth = 2;
      context.beginPath();
      this.corners.forEach((p) => context.lineTo(at.x + p.x * at.zoom, at.y + p.y * at.zoom));
      context.stroke();
    });
    view.marks.push((context, at) => {
      if (this.tool === "look") return;
      const wide = ["brush", "erase", "threshold"].includes(this.tool) ? Math.max(0.5, this.radius) * at.zoom : 7;
      for (const [colour, width] of [["#000000", 3], ["#ffffff", 1.2]] as const) {
        context.strokeStyle = colour;
        context.lineWidth = width;
        context.beginPath();
        context.arc(at.x + this.cursor.x * at.zoom, at.y + this.cursor.y * at.zoom, wide, 0, 7);
        context.stroke();
      }
    });
  }

  setTool(tool: Tool): void {
    this.tool = tool;
    this.corners = [];
    this.view.canvas.classList.toggle("active", tool !== "look");
    if (tool === "threshold") void this.loadGrey();
    this.redraw();
    this.view.draw();
  }

  private async loadGrey(): Promise<void> {
    if (this.grey) return;
    this.grey = (await getMap(`${imagePath(this.view.info.name)}/grey`)).data;
  }

  /** Where strokes go: to the sketch while one is made, else to the label. */
  private target(): Map2d {
    return this.sketch ? this.sketch.strokes : this.map;
  }

  private wheel = (event: WheelEvent): void => {
    event.preventDefault();
    if (event.shiftKey || event.altKey) this.setRadius(this.radius * (event.deltaY < 0 ? 1.2 : 1 / 1.2));
    else this.view.zoomBy(Math.exp(-event.deltaY / 400), event);
  };

  setRadius(radius: number): void {
    this.radius = Math.min(400, Math.max(0.5, Math.round(radius * 2) / 2));
    this.redraw();
    this.view.draw();
  }

  private down = (event: PointerEvent): void => {
    this.view.canvas.setPointerCapture(event.pointerId);
    if (event.button === 1 || event.button === 2) {
      this.held = { x: event.clientX, y: event.clientY };
      return;
    }
    this.cursor = this.view.pixel(event);
    this.apply(this.cursor, event);
  };

  /** What the tool does at a place; a stroke goes on until `up`. */
  private apply(at: Point, event?: { altKey: boolean }): void {
    if (this.tool === "polygon") {
      this.corners.push(at);
      this.view.draw();
    } else if (["brush", "erase", "threshold", "split", "merge"].includes(this.tool)) {
      this.last = at;
      this.box = NOTHING;
      this.stroke(at);
    } else if (this.view.inside(at)) {
      void this.object(at, event?.altKey ?? false);
    }
  }

  private stroke(to: Point): void {
    const map = this.target();
    let value = this.tool === "erase" ? IGNORE : this.klass;
    let radius = this.radius;
    if (this.tool === "split") [value, radius] = [0, 1];
    if (this.tool === "merge") radius = 2;
    const [low, high] = this.greys;
    const grey = this.grey;
    const allowed =
      this.tool === "threshold" && grey ? (i: number): boolean => grey[i] >= low && grey[i] <= high : undefined;
    const box = line(map, this.last ?? to, to, radius, value, allowed);
    this.last = to;
    if (box.left >= box.right || box.top >= box.bottom) return;
    this.box = joined(this.box, box);
    (this.sketch ? this.sketch.strokeLayer : this.layer).changed(box);
  }

  private move = (event: PointerEvent): void => {
    if (this.held) {
      this.view.panBy(this.held.x - event.clientX, this.held.y - event.clientY);
      this.held = { x: event.clientX, y: event.clientY };
      return;
    }
    this.cursor = this.view.pixel(event);
    if (!this.last) return this.view.draw();
    const began = performance.now();
    const steps = event.getCoalescedEvents?.() ?? [];
    for (const step of steps.length ? steps : [event]) this.stroke(this.view.pixel(step));
    // At once, not at the next frame: the line has to be under the pen.
    this.view.draw(true);
    if (this.latencies.length < 5000) this.latencies.push(performance.now() - began);
  };

  private up = (): void => {
    this.held = null;
    if (!this.last) return;
    this.last = null;
    if (this.sketch) void this.sketch.ask();
    else this.commit(this.box);
    this.view.draw();
  };

  private async object(at: Point, whole: boolean): Promise<void> {
    const label = this.map.data[Math.floor(at.y) * this.map.width + Math.floor(at.x)];
    if (this.tool === "smart") {
      const place = `x=${Math.floor(at.x)}&y=${Math.floor(at.y)}`;
      const found = await get<{ spans: Span[] }>(`${imagePath(this.view.info.name)}/fill?${place}`);
      if (!found.spans.length) return toast("Nothing stands out here");
      this.put(found.spans, this.klass);
    } else if (this.tool === "fill" || this.tool === "relabel") {
      if (this.tool === "relabel" && label === 0 && !whole) return toast("This is no object");
      this.put(region(this.map, at), this.klass);
    } else if (this.tool === "delete") {
      if (label === 0 || label === IGNORE) return toast("This is no object");
      this.put(region(this.map, at), 0);
    }
  }

  /** Gives rows a class, as one step that can be undone. */
  put(rows: Span[], value: number): void {
    if (this.sketch) {
      const box = spans(this.sketch.strokes, rows, value);
      this.sketch.strokeLayer.changed(box);
      void this.sketch.ask();
    } else {
      const box = spans(this.map, rows, value);
      this.layer.changed(box);
      this.commit(box);
    }
    this.view.draw();
  }

  closePolygon(): void {
    const corners = this.corners;
    this.corners = [];
    if (corners.length >= 3) {
      const box = polygon(this.target(), corners, this.klass);
      (this.sketch ? this.sketch.strokeLayer : this.layer).changed(box);
      if (this.sketch) void this.sketch.ask();
      else this.commit(box);
    }
    this.view.draw();
  }

  /** Replaces a part of the label, or all of it. */
  take(data: Uint8Array, part: { x: number; y: number; width: number; height: number }): void {
    for (let y = 0; y < part.height; y++) {
      const row = data.subarray(y * part.width, (y + 1) * part.width);
      this.map.data.set(row, (part.y + y) * this.map.width + part.x);
    }
    const box = { left: part.x, top: part.y, right: part.x + part.width, bottom: part.y + part.height };
    this.layer.changed(box);
    this.commit(box);
    this.view.draw();
  }

  private commit(box: Box): void {
    if (!(box.top < box.bottom)) return;
    const [start, end] = [box.top * this.map.width, box.bottom * this.map.width];
    if (!this.history.record(this.shadow.subarray(start, end), box)) return;
    this.shadow.set(this.map.data.subarray(start, end), start);
    this.changed();
  }

  /** The label changed elsewhere: what there was to undo is gone. */
  reset(data: Uint8Array): void {
    this.map.data.set(data);
    this.shadow.set(data);
    this.history.clear();
    // A stroke that is under way is of the old label.
    this.last = null;
    this.layer.replace(this.map.data);
    this.view.draw();
  }

  private back(box: Box | null): void {
    if (!box) return;
    const [start, end] = [box.top * this.map.width, box.bottom * this.map.width];
    this.shadow.set(this.map.data.subarray(start, end), start);
    this.layer.changed(box);
    this.view.draw();
    this.changed();
  }

  undo(): void {
    if (this.corners.length) {
      this.corners.pop();
      return this.view.draw();
    }
    this.back(this.history.undo());
  }

  redo(): void {
    this.back(this.history.redo());
  }

  /** Keys of the tools; whether the key was one. */
  key(event: KeyboardEvent): boolean {
    const control = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (control && key === "z") event.shiftKey ? this.redo() : this.undo();
    else if (control && key === "y") this.redo();
    else if (control || event.altKey) return false;
    else if (key === "[") this.setRadius(this.radius / 1.25);
    else if (key === "]") this.setRadius(this.radius * 1.25 + 0.5);
    else if (key === "+" || key === "=") this.view.zoomBy(1.4);
    else if (key === "-") this.view.zoomBy(1 / 1.4);
    else if (key === "enter" && this.corners.length) this.closePolygon();
    else if (key === "enter" || key === " ") this.atCursor();
    else if (key === "escape") this.setTool("look");
    else if (key.startsWith("arrow")) this.step(key, event.shiftKey);
    else {
      const tool = TOOLS.find(([, letter]) => letter === key);
      if (!tool) return false;
      this.setTool(tool[0]);
    }
    return true;
  }

  /** Moves the cursor that the keyboard works with, and the image under it when it leaves the window. */
  private step(key: string, far: boolean): void {
    const by = (far ? 80 : 8) / (this.view.transform()?.zoom ?? 1);
    if (key === "arrowleft") this.cursor.x -= by;
    if (key === "arrowright") this.cursor.x += by;
    if (key === "arrowup") this.cursor.y -= by;
    if (key === "arrowdown") this.cursor.y += by;
    this.cursor.x = Math.min(this.map.width - 0.5, Math.max(0.5, this.cursor.x));
    this.cursor.y = Math.min(this.map.height - 0.5, Math.max(0.5, this.cursor.y));
    const seen = this.view.visibleBox();
    const { x, y } = this.cursor;
    if (x < seen.left || x > seen.right || y < seen.top || y > seen.bottom) {
      const [w, h] = [(seen.right - seen.left) / 2, (seen.bottom - seen.top) / 2];
      this.view.show({ left: x - w, right: x + w, top: y - h, bottom: y + h });
    }
    this.view.draw();
  }

  private atCursor(): void {
    if (this.tool === "look") return this.clicked(this.cursor);
    this.apply({ ...this.cursor });
    this.up();
  }
}
