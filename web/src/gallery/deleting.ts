/** Images and masks are removed, after a question. */

import { imagePath, remove } from "../api";
import { ask } from "../dialog";
import { button, choice, h, sameOptions, type Child } from "../dom";
import { toast, toastError } from "../messages";
import { bytesText } from "../numbers";
import { theProject } from "../project";

async function deleteImages(names: string[]): Promise<void> {
  const what = names.length === 1 ? `the image ${names[0]}` : `${names.length} images`;
  const kept = "They are moved to .sorby/removed in the project, with their labels and predictions.";
  if (!(await ask(`Delete ${what}?`, kept, "Delete", "Keep"))) return;
  for (const name of names) {
    try {
      await remove(imagePath(name));
    } catch (error) {
      toast(`${name}: ${(error as Error).message}`, true);
    }
  }
}

async function deletePredictions(model: string): Promise<void> {
  const again = "The model stays; it can segment the images again.";
  if (!(await ask(`Delete all masks that ${model} predicted?`, again, "Delete", "Keep"))) return;
  const path = `/predictions/${encodeURIComponent(model)}`;
  await remove<{ freed_bytes: number }>(path).then(
    ({ freed_bytes }) => toast(`The predictions of ${model} are deleted: ${bytesText(freed_bytes)} are free again`),
    toastError,
  );
}

/** `selected` gives the images that are selected at the time of the click. */
export function deleteRow(selected: () => string[]): HTMLElement {
  const models = [...new Set(theProject().images.flatMap((card) => card.predicted))].sort();
  let model = models.at(-1) ?? "";
  const predictions: Child[] = [
    choice("Predictions of", sameOptions(models), model, (name) => (model = name)),
    button("Delete these predictions", () => void deletePredictions(model), { class: "danger" }),
  ];
  return h(
    "div",
    { class: "toolbar", role: "group", "aria-label": "Delete" },
    button("Delete the selected images", () => void deleteImages(selected()), {
      disabled: selected().length === 0,
      class: "danger",
    }),
    ...(models.length ? predictions : []),
  );
}
