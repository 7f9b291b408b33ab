/** Studies: tricks of training, tried one by one, and what each of them gains. */

import { get } from "../api";
import { button, choice, h, newTabLink, replace, sameOptions, table } from "../dom";
import { startJob } from "../jobs";
import { studyReport } from "../links";
import type { StudyForm } from "./study_form";

interface Gain {
  arch: string;
  trick: string;
  points: number | null;
  interval: [number, number] | null;
  verdict: string;
}

interface StudyStatus {
  done: { run: string; miou_percent: number | null; seconds: number }[];
  failed: { run: string; reason: string }[];
  step: string | null;
  missing: string[];
  gains: Gain[];
  chosen: { arch: string; tricks: string[] } | null;
}

interface StudyDetail {
  name: string;
  report: boolean;
  status: StudyStatus;
}

/** All studies: one of them is shown, others can be started. */
export async function studyBoard(form: StudyForm): Promise<HTMLElement> {
  const { files, studies } = await get<{ files: string[]; studies: string[] }>("/studies");
  const board = h("div");
  let file = files[0] ?? "";
  if (studies.length) void showStudy(board, studies[0]);
  const help = "A study tries tricks one by one. Make one here, or put a study file into the project: see docs/studies.md.";
  return h(
    "div",
    { class: "card" },
    h("h2", {}, "Studies"),
    files.length === 0 && studies.length === 0 && h("p", { class: "quiet" }, help),
    files.length > 0 && choice("Study file", sameOptions(files), file, (name) => (file = name)),
    files.length > 0 && button("Run it", () => void startJob({ verb: "study", file })),
    studies.length > 0 && choice("Board of", sameOptions(studies), studies[0], (name) => void showStudy(board, name)),
    board,
    form.element,
  );
}

async function showStudy(board: HTMLElement, name: string): Promise<void> {
  try {
    const detail = await get<StudyDetail>(`/studies/${encodeURIComponent(name)}`);
    replace(board, ...studyParts(name, detail));
  } catch (error) {
    replace(board, h("p", { class: "problem" }, (error as Error).message));
  }
}

function studyParts(name: string, { status, report }: StudyDetail): HTMLElement[] {
  const { done, step, missing, chosen, failed } = status;
  const next = step ? `; next: ${step}, ${missing.length} to train` : "; finished";
  const tricks = chosen?.tricks.join(" + ") || "no trick";
  return [
    h("p", {}, `${done.length} trainings done${next}.`),
    gainsTable(status.gains),
    ...(chosen
      ? [h("p", { class: "good-text" }, `Chosen: ${chosen.arch} with ${tricks}, by the validation folds alone.`)]
      : []),
    ...failed.map((f) => h("p", { class: "problem" }, `${f.run} failed: ${f.reason}`)),
    h(
      "div",
      { class: "actions" },
      button("Make the report", () => void startJob({ verb: "studyreport", study: name })),
      report && newTabLink("Look at it", studyReport(name)),
    ),
  ];
}

function gainsTable(gains: Gain[]): HTMLElement {
  const rows = gains.map((g) => [
    g.arch,
    g.trick,
    g.points === null ? "-" : `${g.points >= 0 ? "+" : ""}${g.points.toFixed(2)}`,
    g.interval ? `${g.interval[0].toFixed(2)} to ${g.interval[1].toFixed(2)}` : "-",
    g.verdict,
  ]);
  return table("Gain of each trick in points of mIoU", ["network", "trick", "gain", "95 % interval", "verdict"], rows);
}
