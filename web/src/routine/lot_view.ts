/** One lot: its verdict, its main results, its report, and whether it is still what it was. */

import { get, post, remove, type Job } from "../api";
import { ask } from "../dialog";
import { button, h, newTabLink, replace, table, type Child } from "../dom";
import { isOpen, listJobs, orderOf, startJob } from "../jobs";
import { JOBS_PAGE, lotFile, ROUTINE_PAGE } from "../links";
import { toast, toastError } from "../messages";
import type { LotDetail, LotRecord, Quantity, Verified } from "./types";
import { sortedResults, verdictMark, verdictText, verifiedText } from "./words";

const lotPath = (name: string): string => `/lots/${encodeURIComponent(name)}`;

export class LotView {
  readonly element = h("div", { class: "run-detail lot-view" });
  private verified = h("div", { role: "status" });
  private shown = "";

  async show(name: string): Promise<void> {
    if (this.shown !== name) replace(this.verified);
    this.shown = name;
    const jobs = (await listJobs()).filter((job) => job.result === `lots/${name}`).reverse();
    const lot = await get<LotDetail>(lotPath(name)).catch(() => null);
    if (name !== this.shown) return;
    replace(this.element, h("h2", { class: "as-written" }, name), ...this.parts(name, lot, jobs[0]));
  }

  private parts(name: string, lot: LotDetail | null, job?: Job): Child[] {
    if (job && isOpen(job)) {
      return [h("p", {}, `This lot is being measured. ${job.last}`), h("a", { class: "button", href: JOBS_PAGE }, "Stop it, or read its log, on the page Jobs")];
    }
    if (lot?.finished && lot.record) return this.finished(lot, lot.record);
    const failed = job?.state === "failed" && h("p", { class: "problem", role: "alert" }, job.last);
    if (!lot) return [failed || h("p", { class: "quiet" }, `There is no lot ${name}.`), ...unfinishedActions(name, job, false)];
    return [
      failed,
      h("p", {}, "This lot was begun and not finished. Masks that are finished are kept: the same entries go on with the others."),
      ...unfinishedActions(name, job, true),
    ];
  }

  private finished(lot: LotDetail, record: LotRecord): Child[] {
    const { report, job, warnings, images, left_out } = record;
    const all = images.length + left_out.length;
    return [
      h("p", { class: "lot-verdict" }, h("span", { class: verdictMark(record.verdict) }, verdictText(record.verdict))),
      record.verdict === "undecided" && h("p", { class: "quiet" }, "Undecided: a 95 % interval spans a limit, or is not known."),
      h("p", { class: "quiet" }, `Report ${report.number} of ${record.date} · job ${job.name}, version ${job.version} · ${images.length} of ${all} images measured`),
      ...warnings.map((line) => h("p", { class: "warn-text" }, `Warning: ${line}`)),
      h("div", { class: "actions" }, ...links(lot), button("Verify", () => void this.verify(lot.name))),
      this.verified,
      limitsTable(record),
      ...record.classes.map(({ class: name, results }) => resultTables(name, results)),
      leftOut(left_out),
    ];
  }

  private async verify(name: string): Promise<void> {
    replace(this.verified, h("p", { class: "quiet" }, "Comparing every file with its hash…"));
    try {
      const found = await post<Verified>(`${lotPath(name)}/verify`, {});
      replace(
        this.verified,
        h("p", { class: found.faults.length ? "problem" : "good-text" }, verifiedText(found)),
        found.faults.length > 0 && h("ul", {}, ...found.faults.map((fault) => h("li", {}, fault))),
        h("p", { class: "quiet seal" }, `Seal: ${found.seal_sha256}`),
      );
    } catch (error) {
      replace(this.verified, h("p", { class: "problem" }, (error as Error).message));
    }
  }
}

function links({ name, report, pdfs }: LotDetail): Child[] {
  return [
    report && newTabLink("Read the report", lotFile(name, "report.html")),
    ...pdfs.map((pdf) => h("a", { class: "button", href: lotFile(name, pdf), download: `${name}-${pdf}` }, `Download ${pdf}`)),
  ];
}

function limitsTable({ classes }: LotRecord): Child {
  const rows = classes.flatMap((c) =>
    c.limits.map(({ limit, verdict }) => [c.class, limit, h("span", { class: verdictMark(verdict) }, verdict)]),
  );
  return rows.length > 0 && table("Limits", ["class", "limit", "verdict"], rows);
}

function resultTables(name: string, results: Record<string, Quantity>): HTMLElement {
  const [main, rest] = sortedResults(results);
  const rows = (list: Quantity[]) => list.map((q) => [q.name, q.text, q.remark]);
  const heads = ["quantity", "value and 95 % interval", "remark"];
  return h(
    "div",
    {},
    table(`Results of ${name}`, heads, rows(main)),
    rest.length > 0 && h("details", {}, h("summary", {}, `Further quantities of ${name}`), table(`Further quantities of ${name}`, heads, rows(rest))),
  );
}

function leftOut(images: LotRecord["left_out"]): Child {
  if (!images.length) return null;
  return table("Images that were left out", ["image", "reason"], images.map(({ file, reason }) => [file.split("/").at(-1), reason]));
}

function unfinishedActions(name: string, job: Job | undefined, begun: boolean): Child[] {
  const again = job && orderOf(job);
  const putAside = async (): Promise<void> => {
    const text = "What was begun is moved to .sorby/removed in the project. Its images stay in lots-in, and the lot can be measured anew.";
    if (!(await ask(`Put the lot ${name} aside?`, text, "Put it aside", "Keep it"))) return;
    await remove(lotPath(name)).then(() => {
      toast(`${name} is put aside`);
      location.hash = ROUTINE_PAGE;
    }, toastError);
  };
  return [
    h(
      "div",
      { class: "actions" },
      again && button("Go on", () => void startJob(again), { class: "primary" }),
      begun && button("Put aside what was begun", () => void putAside()),
    ),
  ];
}
