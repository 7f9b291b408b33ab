/** Mouse, pen and finger: what they do with the tool in use. */

import type { Editor } from "./editor";

const MOST_LATENCIES = 5000;

export class PointerInput {
  /** Where the pointer was last while it moves the image, in screen coordinates. */
  private dragged: { x: number; y: number } | null = null;

  constructor(private editor: Editor) {
    const { canvas, viewer } = editor.view;
    canvas.addEventListener("pointerdown", this.down);
    canvas.addEventListener("pointermove", this.move);
    canvas.addEventListener("pointerup", this.up);
    canvas.addEventListener("pointercancel", this.up);
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
    // The middle and the right button move the image.
    if (event.button === 1 || event.button === 2) {
      this.dragged = { x: event.clientX, y: event.clientY };
      return;
    }
    editor.cursor = editor.view.pixel(event);
    editor.begin(editor.cursor, event.altKey);
  };

  private move = (event: PointerEvent): void => {
    const { editor } = this;
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

  private up = (): void => {
    this.dragged = null;
    this.editor.end();
  };

  private wheel = (event: WheelEvent): void => {
    const { editor } = this;
    event.preventDefault();
    if (event.shiftKey || event.altKey) editor.setRadius(editor.radius * (event.deltaY < 0 ? 1.2 : 1 / 1.2));
    else editor.view.zoomBy(Math.exp(-event.deltaY / 400), event);
  };
}
