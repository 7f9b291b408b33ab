/** One image gets another name, with its label and all that belongs to it. */

import { imagePath, post } from "../api";
import { ask } from "../dialog";
import { button, h } from "../dom";
import { toast, toastError } from "../messages";

async function rename(old: string, name: string): Promise<void> {
  if (!name) return toast("Type the new name first", true);
  const text = "Label, earlier versions, strokes and the lines of dataset.toml get the name too. Masks that models predicted of it are dropped. A training that was stopped knows the old name and cannot go on.";
  if (!(await ask(`Rename ${old} as ${name}?`, text, "Rename", "Keep the name"))) return;
  await post(`${imagePath(old)}/name`, { name }).then(() => toast(`${old} is called ${name} now`), toastError);
}

/** `selected` gives the images that are selected at the time of the click. */
export function renameRow(selected: () => string[]): HTMLElement {
  const one = selected().length === 1;
  const name = h("input", { type: "text", maxlength: 170, disabled: !one, "aria-label": "New name of the selected image" });
  const click = (): void => void rename(selected()[0], name.value.trim());
  return h(
    "div",
    { class: "toolbar", role: "group", "aria-label": "Name" },
    h("span", {}, "New name"),
    name,
    button("Rename the selected image", click, { disabled: !one, title: "Select one image" }),
  );
}
