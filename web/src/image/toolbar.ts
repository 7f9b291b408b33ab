/** The buttons of the tools, of undo and of redo. */

import { button, h, replace } from "../dom";
import type { Editor } from "../label/editor";
import { TOOLS } from "../label/tools";

export class Toolbar {
  readonly element = h("div", { class: "tools", role: "toolbar", "aria-label": "Tools" });

  constructor(private editor: Editor) {}

  draw(): void {
    const { editor } = this;
    replace(
      this.element,
      ...TOOLS.map(({ tool, key, title, help }) =>
        button(title, () => editor.setTool(tool), {
          "aria-pressed": String(editor.tool === tool),
          title: `${help} (${key.toUpperCase()})`,
          "data-tool": tool,
        }),
      ),
      h("span", { class: "rule" }),
      button("Undo", () => editor.undo(), { disabled: !editor.canUndo, title: "Ctrl+Z", id: "undo" }),
      button("Redo", () => editor.redo(), { disabled: !editor.canRedo, title: "Ctrl+Y", id: "redo" }),
    );
  }
}
