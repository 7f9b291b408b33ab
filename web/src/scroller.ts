/** A frame whose content may be wider than it: the content is moved inside, and the page stays as wide as the window. */

import { h } from "./dom";

export function scroller(label: string, content: HTMLElement): HTMLElement {
  const frame = h("div", { class: "scroller" }, content);
  // A stop for Tab only where there is something to move.
  const watch = new ResizeObserver(() => {
    const wide = frame.scrollWidth > frame.clientWidth;
    if (wide === frame.hasAttribute("tabindex")) return;
    if (!wide) return ["tabindex", "role", "aria-label"].forEach((name) => frame.removeAttribute(name));
    frame.tabIndex = 0;
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", label);
  });
  watch.observe(frame);
  watch.observe(content);
  return frame;
}
