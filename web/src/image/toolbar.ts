/** The buttons of the tools, of undo and of redo. They stay the same elements, so that the focus stays where it is. */

import { button, h } from "../dom";
import type { Editor } from "../label/editor";
import { TOOLS, type Tool } from "../label/tools";

export class Toolbar {
  readonly element: HTMLElement;
  private tools = new Map<Tool, HTMLButtonElement>();
  private undo: HTMLButtonElement;
  private redo: HTMLButtonElement;

  constructor(private editor: Editor) {
    for (const { tool, key, title, help } of TOOLS) {
      const more = { title: `${help} (${key.toUpperCase()})`, "data-tool": tool };
      this.tools.set(tool, button(title, () => editor.setTool(tool), more));
    }
    this.undo = button("Undo", () => editor.undo(), { title: "Ctrl+Z", id: "undo" });
    this.redo = button("Redo", () => editor.redo(), { title: "Ctrl+Y", id: "redo" });
    this.element = h(
      "div",
      { class: "tools", role: "group", "aria-label": "Tools" },
      ...this.tools.values(),
      h("span", { class: "rule" }),
      this.undo,
      this.redo,
    );
  }

  draw(): void {
    for (const [tool, element] of this.tools) {
      element.setAttribute("aria-pressed", String(this.editor.tool === tool));
    }
    const held = [this.undo, this.redo].find((element) => element === document.activeElement);
    this.undo.disabled = !this.editor.canUndo;
    this.redo.disabled = !this.editor.canRedo;
    // A button that is switched off loses the focus.
    if (held?.disabled) [this.undo, this.redo, ...this.tools.values()].find((element) => !element.disabled)?.focus();
  }
}
