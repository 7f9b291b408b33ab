/** A second window beside the first, which moves with it. */

import type { MaskLayer } from "../viewer/mask";
import { ImageView } from "../viewer/view";

/** Makes each of two views show what the other shows. */
function moveTogether(a: ImageView, b: ImageView): void {
  // A view that is moved by the other one must not move that one back.
  let moving = false;
  const follow = (from: ImageView, to: ImageView) => (): void => {
    if (moving) return;
    moving = true;
    to.viewer.viewport?.fitBounds(from.viewer.viewport.getBounds(true), true);
    moving = false;
  };
  a.viewer.addHandler("update-viewport", follow(a, b));
  b.viewer.addHandler("update-viewport", follow(b, a));
}

export class SideView {
  private second: ImageView | null = null;

  constructor(
    private first: ImageView,
    private stage: HTMLElement,
  ) {}

  /** Shows the image with a layer over it. */
  show(layer: MaskLayer): void {
    if (!this.second) {
      this.second = new ImageView(this.first.info);
      this.stage.append(this.second.element);
      moveTogether(this.first, this.second);
    }
    this.second.layers = [layer];
    this.second.draw();
  }

  close(): void {
    this.second?.close();
    this.second?.element.remove();
    this.second = null;
  }
}
