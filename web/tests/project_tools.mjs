// What the page does with a whole project: compares runs, exports labels and masks, makes a study, renames an image, changes
// the classes. All of it reaches the files of the project.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { answer, openView } from "./views.mjs";

const SOON = { timeout: 180_000 };

/** `root` is a project of its own with two runs and predictions; `server` serves it. */
export async function projectTools({ newPage, server, root, names, runs, look }) {
  const page = await newPage({ viewport: { width: 1280, height: 900 } }, server);
  await runsAreCompared(page, server.base, runs, look);
  await labelsAreExported(page, server.base, root, look);
  await studyIsMade(page, server.base, root);
  await imageIsRenamed(page, server.base, root, names[2]);
  await classesAreChanged(page, server.base, root, look);
  await page.context().close();
}

async function runsAreCompared(page, base, runs, look) {
  await openView(page, base, { hash: "#/train", ready: ".comparing" });
  await page.locator(".comparing summary").click();
  for (const run of runs) await page.locator(".comparing").getByLabel(run, { exact: true }).check();
  await page.getByRole("button", { name: "Compare", exact: true }).click();
  const link = page.locator(".comparing a");
  await link.first().waitFor(SOON);
  const comparison = await page.request.get(await link.first().evaluate((a) => a.href));
  assert.equal(comparison.status(), 200);
  assert.match(await comparison.text(), /Trainings compared/);
  await look(page, "comparing");
}

async function downloaded(page, link) {
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  return readFileSync(await download.path());
}

async function labelsAreExported(page, base, root, look) {
  await openView(page, base, { hash: "#/", ready: ".gallery li" });
  await page.locator(".exporting summary").click();
  await page.getByRole("button", { name: "Write the labels" }).click();
  const written = page.getByRole("link", { name: "Download labels-coco" });
  await written.waitFor(SOON);
  assert.ok(existsSync(join(root, "exports/labels-coco")));
  for (const link of [written, page.getByRole("link", { name: "Download the masks" })]) {
    const zip = await downloaded(page, link);
    assert.equal(zip.subarray(0, 2).toString(), "PK");
    assert.ok(zip.length > 1000, `${zip.length} bytes`);
  }
  await look(page, "exporting");
}

async function studyIsMade(page, base, root) {
  await openView(page, base, { hash: "#/train", ready: ".study-form" });
  await page.locator(".study-form summary").click();
  const form = page.locator(".study-form");
  await form.getByLabel("Name of the study").fill("first");
  await form.getByLabel("Schedule", { exact: true }).selectOption("recipes/tiny.toml");
  await form.getByLabel("R: enlarged receptive field").uncheck();
  await form.getByLabel("PSPNet").uncheck();
  await form.getByLabel("Hold out the split").selectOption("train");
  await form.getByLabel("Learn from the split").selectOption("train");
  await form.getByRole("button", { name: "Make and run the study" }).click();
  await page.waitForSelector(".toast:has-text('A study needs two splits')");
  await form.getByLabel("Hold out the split").selectOption("val");
  await form.getByRole("button", { name: "Make and run the study" }).click();
  await page.waitForSelector(".toast:has-text('The study first is started')");
  const text = readFileSync(join(root, "studies/first.toml"), "utf8");
  assert.match(text, /archs = \["deeplabv3plus"\]/);
  assert.match(text, /base = "\.\.\/recipes\/tiny\.toml"/);
  await openView(page, base, { hash: "#/jobs", ready: ".job-list li" });
  await page.getByRole("button", { name: "Stop: Study first" }).click();
  await page.waitForSelector(".job-list li:has-text('Study first') :text-matches('^(stopped|failed)')", SOON);
  assert.doesNotMatch(await page.locator(".job-list li", { hasText: "Study first" }).innerText(), /error:/);
}

async function imageIsRenamed(page, base, root, name) {
  await openView(page, base, { hash: "#/", ready: ".gallery li" });
  await page.locator(".edit-images summary").click();
  await page.locator(`[data-entry="${name}"]`).getByRole("checkbox").check();
  await page.getByLabel("New name of the selected image").fill("heat 12");
  await page.getByRole("button", { name: "Rename the selected image" }).click();
  await answer(page, "Rename");
  await page.waitForSelector('[data-entry="heat 12"]');
  assert.ok(existsSync(join(root, "images/heat 12.png")) && existsSync(join(root, "labels/heat 12.png")));
  assert.ok(!existsSync(join(root, "images", `${name}.png`)));
  const manifest = readFileSync(join(root, "dataset.toml"), "utf8");
  assert.ok(manifest.includes('"heat 12"') && !manifest.includes(`"${name}"`), manifest);
  assert.match(await page.locator('[data-entry="heat 12"]').innerText(), /labelled/);
}

async function classesAreChanged(page, base, root, look) {
  await openView(page, base, { hash: "#/", ready: ".gallery li" });
  await page.getByRole("link", { name: "Classes", exact: true }).click();
  await page.waitForSelector(".class-rows li");
  const change = page.getByRole("button", { name: "Change the classes", exact: true });
  assert.equal(await change.isDisabled(), true);
  await page.getByLabel("Name of carbide").fill("cementite");
  await page.getByRole("button", { name: "Another class" }).click();
  await page.keyboard.type("pore");
  await page.getByLabel("Colour of carbide").fill("#00aa55");
  await page.getByRole("button", { name: "Move new class 3 up" }).click();
  await page.waitForSelector("text=carbide is called cementite. cementite has another colour.");
  await look(page, "classes-changed");
  await change.click();
  assert.match(await page.locator("dialog").innerText(), /pore is new.*labels are converted.*earlier version/s);
  await answer(page, "Change the classes");
  await page.waitForSelector(".toast:has-text('The classes are changed')", SOON);
  const listed = () => page.locator(".class-rows input[type=text]").evaluateAll((all) => all.map((e) => e.value));
  await page.waitForFunction(() => document.querySelectorAll(".class-rows li").length === 3);
  assert.deepEqual(await listed(), ["matrix", "pore", "cementite"]);
  await openView(page, base, { hash: "#/image/heat%2012", ready: ".image-page" });
  assert.deepEqual(await page.locator(".classes button").allTextContents(), ["matrix", "pore", "cementite", "ignore"]);
  const values = await page.evaluate(async () => {
    const bytes = new Uint8Array(await (await fetch("/api/images/heat%2012/label")).arrayBuffer());
    return [...new Set(bytes)].sort((a, b) => a - b);
  });
  assert.ok(values.includes(2) && !values.includes(1), `what was carbide has its new number: ${values}`);

  // Merged again: pore has no pixels, and cementite becomes part of it.
  await openView(page, base, { hash: "#/classes", ready: ".class-rows li" });
  await page.getByLabel("What becomes of cementite").selectOption({ label: "becomes part of pore" });
  await change.click();
  await answer(page, "Change the classes");
  await page.waitForFunction(() => document.querySelectorAll(".class-rows li").length === 2, undefined, SOON);
  assert.deepEqual(await listed(), ["matrix", "pore"]);
  assert.match(readFileSync(join(root, "dataset.toml"), "utf8"), /was = \[.*"carbide".*\]/);
}
