/** Mouse, pen and finger: what they do with the tool in use. */

import type { Editor } from "./editor";
import { Pinch } from "./pinch";
import { drawsLines } from "./tools";

const MOST_LATENCIES = 5000;

export class PointerInput {
  /** Where the pointer was last while it moves the image, in screen coordinates. */
  private dragged: { x: number; y: number } | null = null;
  /** A finger that is down with a tool that acts at one place: it acts when the finger is lifted, unless a second comes. */
  private tap: PointerEvent | null = null;
  private pinch: Pinch;

  constructor(private editor: Editor) {
    const { canvas, viewer } = editor.view;
    this.pinch = new Pinch(editor.view);
    canvas.addEventListener("pointerdown", this.down);
    canvas.addEventListener("pointermove", this.move);
    canvas.addEventListener("pointerup", this.up);
    canvas.addEventListener("pointercancel", this.cancelled);
    canvas.addEventListener("dblclick", () => editor.closePolygon());
    canvas.addEventListener("wheel", this.wheel, { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    // With the tool "look" the canvas lets clicks through to the image below it.
    viewer.addHandler("canvas-click", (event) => {
      const at = editor.view.pixel(event.originalEvent as PointerEvent);
      if (event.quick && editor.tool === "look" && editor.view.inside(at)) editor.clicked(at);
    });
  }

  private down = (event: PointerEvent): void => {
    const { editor } = this;
    editor.view.canvas.setPointerCapture(event.pointerId);
    if (this.pinch.down(event)) {
      // Two fingers move the image: what the first began was not meant as a stroke.
      editor.cancelLine();
      this.tap = null;
      return;
    }
    // The middle and the right button move the image.
    if (event.button === 1 || event.button === 2) {
      this.dragged = { x: event.clientX, y: event.clientY };
      return;
    }
    editor.cursor = editor.view.pixel(event);
    if (event.pointerType === "touch" && !drawsLines(editor.tool)) this.tap = event;
    else editor.begin(editor.cursor, event.altKey);
  };

  private move = (event: PointerEvent): void => {
    const { editor } = this;
    if (this.pinch.move(event)) return;
    if (this.dragged) {
      editor.view.panBy(this.dragged.x - event.clientX, this.dragged.y - event.clientY);
      this.dragged = { x: event.clientX, y: event.clientY };
      return;
    }
    editor.cursor = editor.view.pixel(event);
    if (!editor.drawing) return editor.view.draw();
    const began = performance.now();
    // One event may stand for several places on the way.
    const steps = event.getCoalescedEvents?.() ?? [];
    for (const step of steps.length ? steps : [event]) editor.lineTo(editor.view.pixel(step));
    // Drawn at once and not at the next frame, so that the line does not lag behind the pen.
    editor.view.draw(true);
    if (editor.latencies.length < MOST_LATENCIES) editor.latencies.push(performance.now() - began);
  };

  private up = (event: PointerEvent): void => {
    const { editor, tap } = this;
    this.dragged = null;
    this.tap = null;
    if (this.pinch.up(event)) return;
    if (tap) editor.begin(editor.view.pixel(tap), tap.altKey);
    editor.end();
  };

  /** The system has taken the pointer: a finger's line is not meant, a pen's or a mouse's is kept. */
  private cancelled = (event: PointerEvent): void => {
    if (event.pointerType === "touch") {
      this.editor.cancelLine();
      this.tap = null;
    }
    this.up(event);
  };

  private wheel = (event: WheelEvent): void => {
    const { editor } = this;
    event.preventDefault();
    if (event.shiftKey || event.altKey) editor.setRadius(editor.radius * (event.deltaY < 0 ? 1.2 : 1 / 1.2));
    else editor.view.zoomBy(Math.exp(-event.deltaY / 400), event);
  };
}
