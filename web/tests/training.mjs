// The view of trainings: what cannot work is not offered, what failed says why and can be removed. Answers are made up here.

import assert from "node:assert/strict";
import { answer, openView } from "./views.mjs";

const BURNT = { name: "burnt", arch: "pspnet", state: "never begun", iteration: null, iterations: 8000, best: null, report: false, bytes: 240e6 };
const ONE = { iteration: 8, mean_iou: 0.41, iou: [0.8, 0.02] };
const JOBS = [
  { id: 3, verb: "train", title: "Training burnt", command: "sorby train", state: "failed", seconds: 22, last: "error: `a` is in both the training and the validation split", result: "runs/burnt" },
  { id: 4, verb: "train", title: "Training long", command: "sorby train", state: "running", seconds: 60, last: "iteration 5/900", result: "runs/long" },
  { id: 5, verb: "train", title: "Training next", command: "sorby train", state: "queued", seconds: 0, last: "waits", result: "runs/next" },
  { id: 6, verb: "data", title: "Check of the data", command: "sorby data check", state: "failed", seconds: 3, last: "pictures: .sorby/check.html", result: ".sorby/check.html" },
];

async function madeUp(page, run) {
  const asked = [];
  const json = (route, body) => route.fulfill({ json: body });
  await page.route("**/api/runs", async (route) => {
    const known = await (await route.fetch()).json();
    await json(route, { ...known, runs: [...known.runs, BURNT] });
  });
  await page.route("**/api/runs/burnt", (route) => {
    if (route.request().method() === "DELETE") return asked.push("DELETE burnt") && json(route, { freed_bytes: 240e6 });
    return json(route, { run: BURNT, loss: [[], []], validations: [], nothing_found: [], step_s: null, seconds: 0, recipe: "", masks: [], masks_version: "" });
  });
  await page.route(`**/api/runs/${run}`, async (route) => {
    const detail = await (await route.fetch()).json();
    await json(route, { ...detail, validations: [ONE] });
  });
  await page.route("**/api/jobs", (route) => {
    if (route.request().method() === "GET") return json(route, JOBS);
    asked.push(route.request().postDataJSON());
    return json(route, { id: 9 });
  });
  await page.route("**/api/jobs/3", (route) => json(route, ["reading 6 images", JOBS[0].last]));
  return asked;
}

export async function trainingsExplained({ newPage, base, run, shots, axe }) {
  const page = await newPage({ viewport: { width: 1280, height: 900 } });
  const asked = await madeUp(page, run);
  await openView(page, base, { hash: `#/train/${run}`, ready: "#run-facts" });
  await singleValidation(page);
  if (shots) await page.screenshot({ path: `${shots}/training-one.png` });
  await formExplains(page, asked);
  await failedRun(page, base, asked, shots);
  await jobList(page, base, shots);
  await axe?.(page, "jobs");
  await page.context().close();
}

/** One validation is seen as points: somewhere on the chart there are pixels of the colour of the mean. */
async function singleValidation(page) {
  const green = await page.evaluate(() => {
    const canvas = document.querySelectorAll(".chart canvas")[1];
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) count += data[i] < 40 && data[i + 1] > 120 && data[i + 2] < 150 && data[i + 3] > 200;
    return count;
  });
  assert.ok(green > 8, `${green} pixels of a point`);
}

async function formExplains(page, asked) {
  const sentence = () => page.locator("#learned-from").innerText();
  const options = () => page.getByLabel("Validate on", { exact: true }).locator("option").allInnerTexts();
  assert.match(await sentence(), /^\d of \d labelled images will be learned from, 2 validated on\./);
  await page.getByLabel("Learn from", { exact: true }).selectOption("all");
  assert.deepEqual(await options(), ["nothing"], "all is not validated on all");
  const name = page.getByLabel("Name", { exact: true });
  await name.fill("Heat 12 (premiere)");
  assert.match(await page.locator("#why-not").innerText(), /letters, digits, spaces/);
  assert.equal(await page.getByRole("button", { name: "Train", exact: true }).isDisabled(), true);
  await name.fill("good name");
  await page.getByLabel("Time", { exact: true }).selectOption("30it");
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await page.waitForFunction(() => location.hash.includes("good"));
  assert.deepEqual(asked.pop(), { verb: "train", recipe: "coffee", name: "good name", train: "all", val: "", iterations: 30 });
  await page.reload();
  await page.waitForSelector(".train-page");
  assert.equal(await page.getByLabel("Time", { exact: true }).inputValue(), "30it", "the form remembers");
}

async function failedRun(page, base, asked, shots) {
  await openView(page, base, { hash: "#/train/burnt", ready: "#run-facts" });
  const text = await page.locator(".run-detail").innerText();
  assert.match(text, /in both the training and the validation split/);
  assert.match(text, /did not start/);
  assert.match(text, /PSPNet/);
  assert.equal(await page.getByRole("button", { name: "Continue", exact: true }).count(), 0);
  assert.match(await page.locator(".run-list").innerText(), /next\s+waits, number 1/);
  if (shots) await page.screenshot({ path: `${shots}/training-failed.png` });
  await page.getByRole("button", { name: "Delete (frees 240 MB)" }).click();
  await answer(page, "Delete");
  await page.waitForSelector("text=240 MB are free again");
  assert.equal(asked.pop(), "DELETE burnt");
}

async function jobList(page, base, shots) {
  await openView(page, base, { hash: "#/jobs", ready: ".job-list li" });
  const text = async (id) => page.locator(`[data-job="${id}"]`).innerText();
  assert.match(await text(3), /failed.*\n.*both the training/s);
  assert.match(await text(5), /waits, number 1 in the queue/);
  assert.match(await text(6), /done: it found problems/);
  assert.doesNotMatch(await text(6), /failed/);
  await page.locator('[data-job="3"] summary').click();
  await page.waitForSelector("pre:has-text('reading 6 images')");
  if (shots) await page.screenshot({ path: `${shots}/jobs-list.png` });
}
