// The routine in the page: a job is made, a lot is measured by it with one button, and is checked later.

import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openView } from "./views.mjs";

/** Minutes of a machine that does much else. */
const SOON = { timeout: 180_000 };

/** `root` is a project with the run `run`; `look` takes pictures of a page and looks for faults. */
export async function routine({ newPage, base, root, run, look }) {
  const page = await newPage({ viewport: { width: 1280, height: 900 } });
  await openView(page, base, { hash: "#/routine", ready: ".lot-form" });
  await page.waitForSelector("text=There is no job that can be used. Make one below");
  await jobIsMade(page, run);
  await lotIsMeasured(page, root);
  await look(page, "lot");
  await lotIsVerified(page, root);
  await changedJobIsRefused(page, base, root);
  await page.context().close();
}

async function jobIsMade(page, run) {
  const form = page.locator(".job-form");
  await form.getByLabel("Model", { exact: true }).selectOption(run);
  await form.getByLabel("Name", { exact: true }).fill("carbides");
  const limits = form.getByLabel(/^Limits/);
  await limits.fill("size small");
  await form.getByLabel("Fields wanted").fill("2");
  await form.getByLabel("Pixel size allowed from, nm").fill("30");
  await form.getByLabel("to, nm", { exact: true }).fill("45");
  await form.getByLabel(/^Pixel size of images that state none/).fill("38,76");
  await form.getByLabel(/^Lines that are the same/).fill("customer = Works 7");
  await form.getByRole("button", { name: "Make the job" }).click();
  await page.waitForSelector(".toast:has-text('begins with no quantity')");
  await limits.fill("area fraction at most 90 %");
  await form.getByRole("button", { name: "Make the job" }).click();
  await page.waitForSelector('[data-job-file="carbides"]', SOON);
  const text = await page.locator('[data-job-file="carbides"]').innerText();
  assert.match(text, /carbides, version 1/);
  assert.match(text, /Locked\./);
  assert.match(text, /Wants 2 fields .*Pixel sizes from 30 to 45 nm.*Asks for lot or heat, operator.*area fraction at most 90 %/s);
}

async function lotIsMeasured(page, root) {
  const form = page.locator(".lot-form");
  const measure = form.getByRole("button", { name: "Measure this lot" });
  assert.equal(await measure.isDisabled(), true);
  await form.getByLabel("Name of the lot").fill("Heat 12");
  const images = readdirSync(join(root, "images")).sort().slice(-2).map((name) => join(root, "images", name));
  await form.locator("input[type=file]").setInputFiles(images);
  await page.waitForSelector("text=2 images of this lot.");
  await page.waitForSelector("text=Fill in: Operator.");
  assert.equal(await form.getByLabel("Lot or heat (needed)").inputValue(), "Heat 12");
  await form.getByLabel("Operator (needed)").fill("A. Smith");
  await form.getByLabel("Also print the report as PDF (A4)").check();
  await measure.click();
  await page.waitForSelector(".lot-verdict", SOON);
  const view = await page.locator(".lot-view").innerText();
  assert.match(view, /job carbides, version 1 · 2 of 2 images measured/);
  assert.match(view, /area fraction/);
  assert.doesNotMatch(view, /failed|not finished/);
  await page.waitForFunction(() => /Heat 12\s+\d{4}-\d\d-\d\d · (within|outside|undecided)/.test(document.querySelector(".lot-list").innerText));
  const report = await page.request.get(await page.locator("a:text-is('Read the report')").evaluate((a) => a.href));
  assert.match(await report.text(), /Heat 12.*A\. Smith/s);
  const lot = JSON.parse(readFileSync(join(root, "lots/Heat 12/lot.json"), "utf8"));
  assert.ok(lot.header.some(({ key, value }) => key === "customer" && value === "Works 7"));
  const pdf = page.locator("a:text-is('Download report-a4.pdf')");
  if (readdirSync(join(root, "lots/Heat 12")).includes("report-a4.pdf")) {
    const [download] = await Promise.all([page.waitForEvent("download"), pdf.click()]);
    assert.equal(readFileSync(await download.path()).subarray(0, 4).toString(), "%PDF");
  } else assert.ok(lot.warnings.length > 0, "a report that was not printed is warned of");
}

async function lotIsVerified(page, root) {
  const verify = page.getByRole("button", { name: "Verify", exact: true });
  await verify.click();
  await page.waitForSelector("text=are as at the time of the report.", SOON);
  await page.waitForSelector(".seal");
  const file = join(root, "lots/Heat 12/lot.json");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, `${text}\n`);
  await verify.click();
  await page.waitForSelector("text=lot.json: was changed", SOON);
  writeFileSync(file, text);
  const late = await page.evaluate(() => fetch("/api/lots-in/Heat%2012?name=late.png", { method: "POST", body: "x" }).then((r) => r.status));
  assert.equal(late, 409, "the images of a measured lot stay as they are");
}

/** A job that was edited is refused with its reason; a job of the server that failed can be tried again after a reload. */
async function changedJobIsRefused(page, base, root) {
  const file = join(root, "jobs/carbides.toml");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace("wanted = 2", "wanted = 1"));
  await openView(page, base, { hash: "#/routine", ready: ".lot-form" });
  await page.waitForSelector('[data-job-file="carbides"] .problem:has-text("was changed after version 1")');
  const order = { verb: "runlot", job: "carbides", lot: "Heat 13", header: { lot: "13", operator: "B" } };
  assert.equal((await page.request.post(`${base}api/jobs`, { data: order })).status(), 400, "without images nothing is started");
  const sent = readFileSync(join(root, "images", readdirSync(join(root, "images"))[0]));
  const put = await page.request.post(`${base}api/lots-in/Heat%2013?name=a.png`, { data: sent, headers: { "Content-Type": "application/octet-stream" } });
  assert.equal(put.status(), 200, await put.text());
  assert.equal((await page.request.post(`${base}api/jobs`, { data: order })).status(), 200);
  await openView(page, base, { hash: "#/jobs", ready: ".job-list li" });
  const failed = page.locator(".job-list li", { hasText: "Heat 13" });
  await page.waitForSelector(".job-list li .problem:has-text('was changed after version 1')", SOON);
  await page.reload();
  await page.waitForSelector(".job-list li");
  writeFileSync(file, text);
  await failed.getByRole("button", { name: "Try again" }).click();
  await page.waitForFunction(() => /Measuring the lot Heat 13\s+(measured, with warnings|done)/i.test(document.querySelector(".job-list").innerText), undefined, SOON);
  const words = await page.locator(".job-list").innerText();
  assert.match(words, /measured, with warnings/, "a lot with warnings has not failed");
}
