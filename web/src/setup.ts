/** First visit of a folder of images: the classes get their names. */

import { post, type ClassInfo } from "./api";
import { button, h } from "./dom";
import { toastError } from "./messages";
import type { Page } from "./page";
import { theProject } from "./project";

const COLOURS = ["#202020", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"];

/** A class: its colour and its name. */
function classRow(number: number, name: string, remove: () => void): HTMLElement {
  const colour = COLOURS[number % COLOURS.length];
  return h(
    "div",
    { class: "row" },
    h("input", { type: "color", value: colour, "aria-label": `Colour of class ${number}` }),
    h("input", { type: "text", value: name, "aria-label": `Name of class ${number}`, maxlength: 80 }),
    button("Remove", remove, { "aria-label": `Remove class ${number}` }),
  );
}

/** What the user has put into a row. */
function classOf(row: Element): ClassInfo {
  const [color, name] = row.querySelectorAll("input");
  return { name: name.value, color: color.value };
}

/** Rows that were left empty are no classes. */
export const namedClasses = (classes: ClassInfo[]): ClassInfo[] =>
  classes.map(({ name, color }) => ({ name: name.trim(), color })).filter(({ name }) => name !== "");

/** `refresh` opens the page again when the project is made. */
export function setUp(refresh: () => void): Page {
  const rows = h("div", { class: "rows" });
  let made = 0;
  const add = (name: string): void => {
    const row = classRow(made++, name, () => {
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      next?.querySelector<HTMLElement>("input[type=text]")?.focus();
    });
    rows.append(row);
  };
  add("matrix");
  add("carbide");
  const save = async (): Promise<void> => {
    try {
      await post("/setup", { classes: namedClasses([...rows.children].map(classOf)) });
      refresh();
    } catch (error) {
      toastError(error);
    }
  };
  const { images_found, root } = theProject();
  const element = h(
    "section",
    { class: "card narrow" },
    h("h1", {}, "What is in your images?"),
    h("p", {}, `${images_found ?? 0} images in ${root}. Name the classes; the first is the matrix or background.`),
    h("p", { class: "quiet" }, "A name has at most 80 letters; a row without a name is left out."),
    rows,
    h(
      "div",
      { class: "actions" },
      button("Another class", () => {
        add("");
        rows.lastElementChild?.querySelector<HTMLElement>("input[type=text]")?.focus();
      }),
      button("Begin", () => void save(), { class: "primary" }),
    ),
  );
  return { element };
}
