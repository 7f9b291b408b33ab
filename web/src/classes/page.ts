/** The classes of the project: added, renamed, given another colour or order, merged. Labels that are there are converted. */

import { post } from "../api";
import { ask } from "../dialog";
import { button, choice, h, replace, type Child } from "../dom";
import { toast, toastError } from "../messages";
import type { Page } from "../page";
import { theProject } from "../project";
import { kept, problem, request, rowsOf, sentences, type ClassRow } from "./change";

const NEW_COLOURS = ["#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999"];

const partOf = (row: ClassRow): string => `becomes part of ${row.name.trim() || "the unnamed class"}`;

class ClassesPage implements Page {
  readonly element: HTMLElement;
  private rows: ClassRow[] = rowsOf(theProject().classes);
  private list = h("ol", { class: "class-rows", "aria-label": "Classes" });
  /** Options of lists that name a class, which may be given another name. */
  private targets: [HTMLOptionElement, ClassRow][] = [];
  /** Numbers of new classes, which they keep wherever they are moved. */
  private numbers = new Map<ClassRow, number>();
  private changes = h("div", { role: "status" });
  private save = button("Change the classes", () => void this.change(), { class: "primary" });

  /** `refresh` opens the page again when the classes are changed. */
  constructor(private refresh: () => void) {
    this.element = h(
      "section",
      { class: "card classes-page" },
      h("h1", {}, "Classes"),
      h("p", { class: "quiet" }, "The first class is the matrix or background. Labels that are drawn already are converted; none is lost."),
      this.list,
      h("div", { class: "actions" }, button("Another class", () => this.add())),
      this.changes,
      h("div", { class: "actions" }, this.save, h("a", { class: "button", href: "#/" }, "Back to the images")),
    );
    this.draw();
  }

  private draw(): void {
    this.targets = [];
    replace(this.list, ...this.rows.map((row, i) => this.entry(row, i)));
    this.judge();
  }

  private entry(row: ClassRow, place: number): HTMLElement {
    const old = row.was === null ? `new class ${this.numbers.get(row)}` : theProject().classes[row.was].name;
    const set = (key: "name" | "color") => (event: Event): void => {
      row[key] = (event.target as HTMLInputElement).value;
      this.judge();
    };
    const merged = row.into !== null;
    return h(
      "li",
      {},
      h("input", { type: "color", value: row.color, disabled: merged, "aria-label": `Colour of ${old}`, input: set("color") }),
      h("input", { type: "text", value: row.name, maxlength: 80, disabled: merged, "aria-label": `Name of ${old}`, input: set("name") }),
      button("Up", () => this.move(place, -1), { disabled: place === 0, "aria-label": `Move ${old} up` }),
      button("Down", () => this.move(place, 1), { disabled: place === this.rows.length - 1, "aria-label": `Move ${old} down` }),
      row.was === null
        ? button("Remove", () => this.remove(row), { "aria-label": `Remove ${old}` })
        : this.mergeChoice(row, old),
    );
  }

  /** A class becomes part of another one; one that others become part of stays. */
  private mergeChoice(row: ClassRow, old: string): Child {
    const others = kept(this.rows).filter((other) => other !== row);
    const taken = this.rows.some((other) => other.into === row);
    const options: [string, string][] = [["", "stays a class"]];
    if (!taken) others.forEach((other, i) => options.push([String(i), partOf(other)]));
    const chosen = row.into ? String(others.indexOf(row.into)) : "";
    const list = choice(`What becomes of ${old}`, options, chosen, (value) => {
      row.into = value === "" ? null : others[Number(value)];
      this.draw();
    });
    const [, ...targets] = list.querySelectorAll("option");
    targets.forEach((option, i) => this.targets.push([option, others[i]]));
    return list;
  }

  private add(): void {
    const color = NEW_COLOURS[this.rows.filter((row) => row.was === null).length % NEW_COLOURS.length];
    const row: ClassRow = { was: null, name: "", color, into: null };
    this.numbers.set(row, theProject().classes.length + this.numbers.size + 1);
    this.rows.push(row);
    this.draw();
    this.list.lastElementChild?.querySelector<HTMLElement>("input[type=text]")?.focus();
  }

  private remove(row: ClassRow): void {
    this.rows = this.rows.filter((other) => other !== row);
    for (const other of this.rows) if (other.into === row) other.into = null;
    this.draw();
  }

  private move(from: number, by: number): void {
    const [row] = this.rows.splice(from, 1);
    this.rows.splice(from + by, 0, row);
    this.draw();
  }

  private judge(): void {
    const why = problem(this.rows);
    const said = sentences(theProject().classes, this.rows);
    for (const [option, row] of this.targets) option.textContent = partOf(row);
    replace(this.changes, why ? h("p", { class: "problem" }, why) : h("p", {}, said.join(" ") || "Nothing is changed yet."));
    this.save.disabled = why !== null || said.length === 0;
  }

  private async change(): Promise<void> {
    const { classes, images } = theProject();
    const labels = images.filter((card) => card.labelled).length;
    const what = sentences(classes, this.rows).join(" ");
    const converted = labels === 1 ? "One label is converted" : `${labels} labels are converted`;
    const text = `${what} ${converted}; each keeps its earlier version, which the page of its image can take back. Models keep the classes that they learnt: where these change, train again.`;
    if (!(await ask("Change the classes?", text, "Change the classes", "Keep them as they are"))) return;
    this.save.disabled = true;
    try {
      const { converted: done } = await post<{ converted: number }>("/classes", request(this.rows));
      toast(`The classes are changed; ${done} labels converted`);
      this.refresh();
    } catch (error) {
      toastError(error);
      this.judge();
    }
  }
}

export const classesPage = (refresh: () => void): Page => new ClassesPage(refresh);
