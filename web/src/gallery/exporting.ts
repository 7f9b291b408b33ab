/** Labels and masks for other programs: written into the project, and downloaded in one file. */

import { button, choice, h, replace, sameOptions, type Child } from "../dom";
import { startJob } from "../jobs";
import { exportFile, masksFile } from "../links";
import { toast } from "../messages";
import { theProject } from "../project";

const FORMATS: [string, string][] = [
  ["coco", "COCO: one JSON file, an object for each connected part"],
  ["png", "PNG files of class numbers, with a dataset.toml"],
  ["nnunet", "nnU-Net's raw folder"],
];

export class Exporting {
  private format = FORMATS[0][0];
  private model = "";
  private rows = h("div", { class: "export-rows" });
  readonly element = h("details", { class: "card exporting" }, h("summary", {}, "Export labels and masks"), this.rows);

  constructor() {
    this.draw();
  }

  draw(): void {
    const { images, exports } = theProject();
    const models = [...new Set(images.flatMap((card) => card.predicted))].sort();
    if (!models.includes(this.model)) this.model = models.at(-1) ?? "";
    const labelled = images.some((card) => card.labelled);
    replace(
      this.rows,
      h(
        "div",
        { class: "toolbar", role: "group", "aria-label": "Labels" },
        choice("Labels as", FORMATS, this.format, (format) => (this.format = format)),
        button("Write the labels", () => void this.write(), { disabled: !labelled }),
      ),
      exports.length > 0 && h("ul", { class: "picks", "aria-label": "Labels that were written" }, ...exports.map(written)),
      models.length > 0 && this.masks(models),
    );
  }

  private async write(): Promise<void> {
    if (await startJob({ verb: "export", format: this.format })) toast("The labels are being written into the folder exports");
  }

  private masks(models: string[]): Child {
    const link = h("a", { class: "button", href: masksFile(this.model), download: "" }, "Download the masks");
    const choose = (model: string): void => {
      this.model = model;
      link.href = masksFile(model);
    };
    return h(
      "div",
      { class: "toolbar", role: "group", "aria-label": "Masks" },
      choice("Masks of", sameOptions(models), this.model, choose),
      link,
      h("span", { class: "quiet" }, "PNG files; the value of a pixel is the number of its class, from 0."),
    );
  }
}

function written(name: string): HTMLElement {
  return h("li", { class: "row" }, h("span", { class: "name gap" }, `exports/${name}`), h("a", { href: exportFile(name), download: "" , "aria-label": `Download ${name}` }, "Download"));
}
