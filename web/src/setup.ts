/** First visit of a folder of images: the classes get their names. */

import { post } from "./api";
import { button, h, toastError } from "./dom";
import type { Page } from "./page";
import { theProject } from "./project";

const COLOURS = ["#202020", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"];

export function setUp(refresh: () => void): Page {
  const rows = h("div", { class: "rows" });
  const add = (name: string): void => {
    const colour = COLOURS[rows.childElementCount % COLOURS.length];
    const number = rows.childElementCount;
    rows.append(
      h(
        "div",
        { class: "row" },
        h("input", { type: "color", value: colour, "aria-label": `Colour of class ${number}` }),
        h("input", { type: "text", value: name, "aria-label": `Name of class ${number}`, maxlength: 80 }),
      ),
    );
  };
  add("matrix");
  add("carbide");
  const save = async (): Promise<void> => {
    const classes = [...rows.children].map((row) => {
      const [color, name] = row.querySelectorAll("input");
      return { name: name.value, color: color.value };
    });
    try {
      await post("/setup", { classes });
      refresh();
    } catch (error) {
      toastError(error);
    }
  };
  const count = theProject().images_found ?? 0;
  return {
    element: h(
      "section",
      { class: "card narrow" },
      h("h1", {}, "What is in your images?"),
      h("p", {}, `${count} images in ${theProject().root}. Name the classes; the first is the matrix or background.`),
      rows,
      h(
        "div",
        { class: "actions" },
        button("Another class", () => add("")),
        button("Begin", () => void save(), { class: "primary" }),
      ),
    ),
  };
}
