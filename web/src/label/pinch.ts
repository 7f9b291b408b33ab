/** Two fingers move and zoom the image; from the second finger on until all are lifted, nothing is painted. */

import type { ImageView } from "../viewer/view";

type Place = { clientX: number; clientY: number };

export class Pinch {
  private fingers = new Map<number, Place>();
  private active = false;

  constructor(private view: ImageView) {}

  /** A pointer comes down. Gives whether two fingers are at work. */
  down(event: PointerEvent): boolean {
    if (event.pointerType !== "touch") return this.active;
    this.fingers.set(event.pointerId, event);
    this.active ||= this.fingers.size > 1;
    return this.active;
  }

  move(event: PointerEvent): boolean {
    if (!this.active || !this.fingers.has(event.pointerId)) return this.active;
    const before = this.grip();
    this.fingers.set(event.pointerId, event);
    const now = this.grip();
    if (!before || !now) return true;
    this.view.panBy(before.clientX - now.clientX, before.clientY - now.clientY);
    if (before.span_px > 0 && now.span_px > 0) this.view.zoomBy(now.span_px / before.span_px, now, true);
    return true;
  }

  /** A pointer is lifted. Gives whether it belonged to two fingers. */
  up(event: PointerEvent): boolean {
    const belonged = this.active;
    this.fingers.delete(event.pointerId);
    if (!this.fingers.size) this.active = false;
    return belonged;
  }

  /** The middle of the first two fingers, and how far they are apart. */
  private grip(): (Place & { span_px: number }) | null {
    const [a, b] = this.fingers.values();
    if (!a || !b) return null;
    return {
      clientX: (a.clientX + b.clientX) / 2,
      clientY: (a.clientY + b.clientY) / 2,
      span_px: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY),
    };
  }
}
