// Strokes of drafts: their undo, that they are kept, and how a draft takes the place of a label.

import assert from "node:assert/strict";

/** Undo and redo of strokes, and how they look. */
async function undoOfStrokes(w) {
  const { page, names, step, label, drag, look, at, strokePixels, undoOff } = w;
  step("strokes of a draft have an undo of their own: the label on disk stays as it is");
  w.before = await label(page, names[0]);
  await page.keyboard.press("d");
  await page.waitForSelector("#use-draft");
  assert.equal(await undoOff(), true, "nothing to undo yet");
  await page.keyboard.press("1");
  await drag(page, at(0.3, 0.9), at(0.4, 0.92));
  await page.keyboard.press("2");
  await drag(page, at(0.6, 0.4), at(0.62, 0.42));
  await page.waitForSelector("#use-draft:not([disabled])");
  w.two = await strokePixels();
  await page.keyboard.press("Control+z");
  const one = await strokePixels();
  assert.ok(one > 0 && one < w.two, "the last stroke is gone");
  await page.waitForSelector("#use-draft[disabled]");
  await page.keyboard.press("Control+y");
  assert.equal(await strokePixels(), w.two, "and back");
  await page.waitForTimeout(900);
  assert.deepEqual(await label(page, names[0]), w.before, "the label was not touched");
  await look(page, "strokes");

  step("strokes of the first class are seen");
  const seen = await page.evaluate(() => {
    const { draft } = window.sorbyEditor;
    const shot = document.createElement("canvas");
    Object.assign(shot, { width: 400, height: 300 });
    const context = shot.getContext("2d", { willReadFrequently: true });
    draft.strokes.layer.draw(context, { zoom: 400 / draft.strokes.map.width, x: 0, y: 0 });
    const { data } = context.getImageData(0, 0, 400, 300);
    let white = 0;
    for (let i = 0; i < data.length; i += 4) white += data[i] > 200 && data[i + 1] > 200 && data[i + 2] > 200 && data[i + 3] > 200;
    return white;
  });
  assert.ok(seen > 20, `${seen} white pixels hatch the strokes of the matrix`);
}

/** Strokes outlive whatever is done with the page. */
async function strokesStay(w) {
  const { page, names, step, saved, drag, at, openImage, strokePixels } = w;
  step("strokes stay: closed, another image, reload");
  await page.keyboard.press("d");
  await page.waitForSelector("#use-draft", { state: "detached" });
  await page.keyboard.press("d");
  await page.waitForSelector("#use-draft:not([disabled])");
  assert.equal(await strokePixels(), w.two, "closing the draft keeps them");
  await drag(page, at(0.7, 0.4), at(0.72, 0.42));
  const three = await strokePixels();
  await page.keyboard.press("n");
  await page.waitForFunction((name) => document.querySelector(".image-bar h1")?.textContent === name, names[1]);
  await openImage(names[0]);
  await page.keyboard.press("d");
  await page.waitForSelector("#use-draft:not([disabled])");
  assert.equal(await strokePixels(), three, "leaving the image at once after a stroke keeps them");
  await page.waitForTimeout(900);
  await page.reload();
  await page.waitForFunction(() => window.sorbyEditor?.view.transform());
  await page.keyboard.press("d");
  await page.waitForSelector("#use-draft:not([disabled])");
  assert.equal(await strokePixels(), three, "a reload keeps them");

  step("strokes that the server does not take are kept, said so, and sent when it does");
  await page.context().route("**/sketch", (route) => (route.request().method() === "PUT" ? route.abort() : route.fallback()));
  await drag(page, at(0.5, 0.2), at(0.52, 0.22));
  const four = await strokePixels();
  await page.waitForSelector("text=/Strokes are not saved/");
  await openImage(names[1]);
  await openImage(names[0]);
  await page.keyboard.press("d");
  await page.waitForSelector("#use-draft:not([disabled])");
  assert.equal(await strokePixels(), four);
  await page.context().unroute("**/sketch");
  await page.waitForSelector("text=/Strokes are saved/", { timeout: 15_000 });
}

/** A draft in the place of a label drawn by hand. */
async function draftOverHandWork(w) {
  const { page, names, step, saved, label, look, at } = w;
  step("a draft does not replace work by hand unasked; it is one step, and what was there is a version");
  await page.locator(".views").focus();
  await page.keyboard.press("a");
  await page.waitForSelector("dialog[open]");
  assert.match(await page.locator("dialog").innerText(), /drawn by hand.*kept as a version.*Ctrl\+Z/s);
  await look(page, "question");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  assert.deepEqual(await label(page, names[0]), w.before, "Escape changes nothing");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#use-draft", { state: "detached" });
  await saved(page);
  w.drafted = await label(page, names[0]);
  assert.notEqual(w.drafted.sum, w.before.sum);
  assert.equal(await page.locator("text=The strokes of an earlier draft are kept.").count(), 1);
  await page.keyboard.press("Control+z");
  await saved(page);
  await page.waitForTimeout(900);
  await saved(page);
  assert.equal((await label(page, names[0])).sum, w.before.sum, "undone at once");
  await page.keyboard.press("Control+y");
  await page.waitForTimeout(900);
  await saved(page);
}

/** What was replaced comes back. */
async function versionsOfTheLabel(w) {
  const { page, names, step, saved, label, look } = w;
  step("the version is compared and taken back");
  await page.locator("summary", { hasText: "Versions" }).click();
  await page.waitForSelector(".versions button");
  await page.locator(".versions").getByRole("button", { name: /Compare/ }).last().click();
  await page.waitForFunction(() => window.sorbyEditor.view.layers.length === 2);
  await look(page, "versions");
  await page.locator(".versions").getByRole("button", { name: /Take back/ }).last().click();
  await page.waitForTimeout(900);
  await saved(page);
  assert.equal((await label(page, names[0])).sum, w.before.sum, "the label of before");
  await page.keyboard.press("Control+z");
  await page.waitForTimeout(900);
  await saved(page);
  assert.equal((await label(page, names[0])).sum, w.drafted.sum, "and this can be undone");
}

/** Strokes go only when somebody says so. */
async function strokesRemoved(w) {
  const { page, step } = w;
  step("the strokes are removed after one question");
  await page.locator("#remove-strokes").click();
  await page.getByRole("button", { name: "Keep them" }).click();
  assert.equal(await page.locator("#remove-strokes").count(), 1);
  await page.locator("#remove-strokes").click();
  await page.locator("dialog").getByRole("button", { name: "Remove strokes" }).click();
  await page.waitForSelector("#remove-strokes", { state: "detached" });
  await page.waitForTimeout(900);
  await page.reload();
  await page.waitForFunction(() => window.sorbyEditor?.view.transform());
  await page.waitForTimeout(500);
  assert.equal(await page.locator("#remove-strokes").count(), 0);
}

/** `w`: see workbench.mjs. */
export async function strokes(w) {
  await undoOfStrokes(w);
  await strokesStay(w);
  await draftOverHandWork(w);
  await versionsOfTheLabel(w);
  await strokesRemoved(w);
}
