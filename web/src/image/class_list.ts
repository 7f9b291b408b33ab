/** The classes to paint with, and "ignore" for pixels that shall have no label. */

import type { ClassInfo } from "../api";
import { button, h } from "../dom";
import type { Editor } from "../label/editor";
import { IGNORE } from "../viewer/mask";

/** Digits are the keys of the first nine classes. */
const keyOf = (index: number): Record<string, string> => (index < 9 ? { title: `Key ${index + 1}` } : {});

export class ClassList {
  readonly element: HTMLElement;
  private buttons = new Map<number, HTMLElement>();

  constructor(
    private editor: Editor,
    private classes: ClassInfo[],
    private redraw: () => void,
  ) {
    classes.forEach((c, i) => this.add(i, c.name, { style: `--colour: ${c.color}`, ...keyOf(i) }));
    this.add(IGNORE, "ignore", { class: "ignore", title: "Key 0" });
    const items = [...this.buttons.values()].map((element) => h("li", {}, element));
    this.element = h("ul", { class: "classes", "aria-label": "Classes" }, ...items);
  }

  private add(value: number, name: string, attributes: Record<string, string>): void {
    this.buttons.set(value, button(name, () => this.pick(value), attributes));
  }

  /** Whether a number is that of a class. */
  has(index: number): boolean {
    return index < this.classes.length;
  }

  /** Chooses what is painted from now on. */
  pick(value: number): void {
    this.editor.classIndex = value;
    if (this.editor.tool === "look" || this.editor.tool === "erase") this.editor.setTool("brush");
    this.redraw();
  }

  draw(): void {
    for (const [value, element] of this.buttons) {
      element.setAttribute("aria-pressed", String(this.editor.classIndex === value));
    }
  }
}
