// Labelling loses nothing: work by hand, fingers, keys, other windows, what is seen from one image to the next.

import assert from "node:assert/strict";
import { strokes } from "./strokes.mjs";
import { workbench } from "./workbench.mjs";

/** A prediction in the place of a label drawn by hand. */
async function predictionOverHandWork(w) {
  const { page, step, saved, label, drag, at, sum } = w;
  step("a prediction does not replace work by hand unasked");
  await page.keyboard.press("b");
  await page.keyboard.press("2");
  await drag(page, at(0.3, 0.3), at(0.5, 0.5));
  await saved(page);
  const byHand = await sum();
  await page.keyboard.press("a");
  await page.waitForSelector("dialog[open]");
  await page.getByRole("button", { name: "Keep the label" }).click();
  assert.equal(await sum(), byHand);
}

/** A label without a pixel is none. */
async function emptiedLabel(w) {
  const { page, names, step, saved, label, drag, at, openImage } = w;
  step("a stroke and its undo leave an image without a label as it was");
  await openImage(names[7]);
  await page.waitForFunction(() => document.querySelector(".state")?.textContent === "Not labelled");
  await page.keyboard.press("b");
  await drag(page, at(0.4, 0.4), at(0.5, 0.5));
  await saved(page);
  await page.keyboard.press("Control+z");
  await page.waitForFunction(() => document.querySelector(".state")?.textContent === "Not labelled");
  await drag(page, at(0.4, 0.4), at(0.5, 0.5));
  await saved(page);
  await page.keyboard.press("Control+z");
  await page.waitForFunction(() => document.querySelector(".state")?.textContent === "Not labelled");
}

/** A save that begins while a line is drawn; a save whose answer is lost. */
async function savesInBetween(w) {
  const { page, names, step, saved, label, drag, at, openImage } = w;
  step("a line that is being drawn is not saved; a lost answer is no change by others");
  await openImage(names[7]);
  await page.keyboard.press("b");
  await drag(page, at(0.3, 0.3), at(0.4, 0.3));
  await page.mouse.move(...at(0.3, 0.6));
  await page.mouse.down();
  await page.mouse.move(...at(0.5, 0.6), { steps: 4 });
  await saved(page);
  const first = (await label(page, names[7])).counts;
  await page.mouse.up();
  await page.waitForTimeout(100);
  await saved(page);
  const both = (await label(page, names[7])).counts;
  assert.ok(both[255] < first[255], "the line came with its end");
  let lost = 0;
  await page.route("**/label?by=*", async (route) => {
    if (lost++) return route.continue();
    await route.fetch();
    await route.abort();
  });
  await drag(page, at(0.3, 0.4), at(0.4, 0.4));
  await page.waitForFunction(() => document.querySelector(".state")?.textContent === "Not saved");
  await drag(page, at(0.3, 0.5), at(0.4, 0.5));
  await page.waitForTimeout(100);
  await saved(page);
  assert.ok(lost > 1 && (await label(page, names[7])).counts[255] < both[255]);
  await page.unroute("**/label?by=*");
  for (let i = 0; i < 4; i++) await page.keyboard.press("Control+z");
  await page.waitForFunction(() => document.querySelector(".state")?.textContent === "Not labelled");
}

/** Pinching. */
async function twoFingers(w) {
  const { page, step, at, sum } = w;
  step("two fingers move the image and paint nothing");
  const untouched = await sum();
  const finger = (type, id, x, y) =>
    page.evaluate(
      ([type, pointerId, clientX, clientY]) => {
        const { canvas } = window.sorbyEditor.view;
        canvas.setPointerCapture = () => undefined;
        const more = { pointerId, clientX, clientY, pointerType: "touch", bubbles: true, button: type === "pointermove" ? -1 : 0 };
        canvas.dispatchEvent(new PointerEvent(type, more));
      },
      [type, id, x, y],
    );
  const zoom = () => page.evaluate(() => window.sorbyEditor.view.transform().zoom);
  const far = await zoom();
  const [cx, cy] = at(0.5, 0.5);
  await finger("pointerdown", 11, cx - 40, cy);
  await finger("pointermove", 11, cx - 60, cy);
  assert.notEqual(await sum(), untouched, "one finger paints");
  await finger("pointerdown", 12, cx + 60, cy);
  assert.equal(await sum(), untouched, "the second takes that back");
  await finger("pointermove", 12, cx + 180, cy);
  await finger("pointerup", 12, cx + 180, cy);
  await finger("pointermove", 11, cx - 90, cy + 30);
  await finger("pointerup", 11, cx - 90, cy + 30);
  assert.equal(await sum(), untouched, "nothing is painted");
  assert.ok((await zoom()) > 1.3 * far, "the image is larger");
}

/** What stays from one image to the next. */
async function nextImage(w) {
  const { page, names, step } = w;
  step("the next image is drawn on as this one was");
  await page.keyboard.press("]");
  await page.keyboard.press("1");
  await page.getByLabel("Opacity of the mask").fill("80");
  const state = () =>
    page.evaluate(() => {
      const { tool, classIndex, radius, view } = window.sorbyEditor;
      return { tool, classIndex, radius, zoom: view.transform().zoom.toFixed(3), opacity: view.layers[0].opacity };
    });
  const here = await state();
  assert.equal(here.tool, "brush");
  await page.locator(".views").focus();
  await page.keyboard.press("Shift+N");
  await page.waitForFunction((name) => document.querySelector(".image-bar h1")?.textContent === name, names[6]);
  await page.waitForTimeout(600);
  assert.deepEqual(await state(), here);
  await page.getByRole("button", { name: "Fit" }).click();
}

/** What changes the look only. */
async function looks(w) {
  const { page, step, label, at } = w;
  step("outlines only, brightness: the pixels of image and label stay as they are");
  const filter = () => page.evaluate(() => getComputedStyle(document.querySelector(".openseadragon-canvas canvas")).filter);
  await page.getByLabel("Outlines only").check();
  await page.getByLabel("Brightness of the image").fill("150");
  assert.equal(await filter(), "brightness(1.5) contrast(1)");
  assert.equal(await page.evaluate(() => window.sorbyEditor.label.layer.outlineOnly), true);
  await page.getByRole("button", { name: "As in the file" }).click();
  assert.equal(await filter(), "none");

  step("the grey level under the pointer");
  await page.mouse.move(...at(0.41, 0.4));
  await page.mouse.move(...at(0.4, 0.4));
  await page.waitForFunction(() => /^\d+, \d+ px grey \d+$/.test(document.querySelector(".reading").textContent));
}

/** Keys and dialogs. */
async function keys(w) {
  const { page, names, step, saved, label, look } = w;
  step("an image that was shown whole is whole again after it was shown beside itself");
  const zoomNow = () => page.evaluate(() => window.sorbyEditor.view.transform().zoom);
  const whole = await zoomNow();
  for (let i = 0; i < 3; i++) {
    await page.getByLabel("How", { exact: true }).selectOption("side");
    await page.getByLabel("Compare with", { exact: true }).selectOption("label");
    await page.waitForTimeout(500);
    assert.ok((await zoomNow()) < 0.7 * whole, "half as wide");
    await page.getByLabel("Compare with", { exact: true }).selectOption("");
    await page.waitForTimeout(500);
    assert.ok(Math.abs((await zoomNow()) / whole - 1) < 0.02, "whole again");
  }
  await page.getByLabel("How", { exact: true }).selectOption("swipe");

  step("hidden while H is held; the list of keys; the polygon by keyboard");
  await page.locator(".views").focus();
  await page.keyboard.down("h");
  assert.equal(await page.evaluate(() => window.sorbyEditor.view.layersHidden), true);
  await page.keyboard.up("h");
  assert.equal(await page.evaluate(() => window.sorbyEditor.view.layersHidden), false);
  await page.keyboard.press("?");
  await page.waitForSelector("dialog[open] .keys");
  await look(page, "keys");
  await page.keyboard.press("Escape");
  await page.locator(".views").focus();
  await page.keyboard.press("p");
  await page.keyboard.press("2");
  await page.keyboard.press("p");
  const corners = () => page.evaluate(() => window.sorbyEditor.corners.length);
  for (const key of ["Enter", "Shift+ArrowRight", "Space", "Enter"]) await page.keyboard.press(key);
  assert.equal(await corners(), 2, "Enter drops no polygon of two corners");
  await page.keyboard.press("Backspace");
  assert.equal(await corners(), 1);
  for (const key of ["Shift+ArrowRight", "Space", "Shift+ArrowDown", "Space", "Enter"]) await page.keyboard.press(key);
  assert.equal(await corners(), 0);
  await saved(page);
  assert.ok((await label(page, names[6])).counts[1] > 100, "Enter closes the polygon");
}

/** Smart fill that goes wrong. */
async function smartFill(w) {
  const { page, step, sum, at } = w;
  step("smart fill that takes much of the image says so and can be undone");
  const clear = await sum();
  const { width, height } = await page.evaluate(() => window.sorbyEditor.map);
  const spans = Array.from({ length: Math.floor(height / 2) }, (_, y) => [y, 0, width]);
  await page.route("**/fill?*", (route) => route.fulfill({ json: { spans } }));
  await page.keyboard.press("s");
  await page.mouse.click(...at(0.5, 0.5));
  await page.getByRole("button", { name: "Undo the fill" }).click();
  assert.equal(await sum(), clear);
  await page.unroute("**/fill?*");
  await page.route("**/fill?*", (route) => route.abort());
  await page.mouse.click(...at(0.5, 0.5));
  await page.waitForSelector(".toast.bad");
  await page.unroute("**/fill?*");
}

/** Answers that come too late, and labels of others. */
async function otherWindows(w) {
  const { page, names, step, saved, label, drag, look, at, openImage, sum } = w;
  step("what another window saved is loaded, and then nothing is red");
  await openImage(names[2]);
  await page.getByLabel("Outlines only").check();
  await look(page, "outlines");
  await page.getByLabel("Outlines only").uncheck();
  await page.locator(".views").focus();
  await page.keyboard.press("b");
  await drag(page, at(0.4, 0.4), at(0.5, 0.5));
  const theirs = await page.evaluate(async (name) => {
    const path = `/api/images/${name}/label`;
    const response = await fetch(path, { cache: "no-store" });
    const bytes = new Uint8Array(await response.arrayBuffer()).fill(0, 0, 5000);
    const body = await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
    const headers = { "Content-Type": "application/octet-stream", "If-Match": response.headers.get("ETag") };
    return (await fetch(path, { method: "PUT", headers, body })).status;
  }, names[2]);
  assert.equal(theirs, 200);
  await page.getByRole("button", { name: "Load theirs" }).click();
  await saved(page);
  assert.equal(await page.locator(".state").getAttribute("data-state"), "saved");
  assert.equal(await page.locator(".conflict").isHidden(), true);

  step("a label that could not be saved when its image was left is saved later");
  await drag(page, at(0.6, 0.6), at(0.7, 0.7));
  await saved(page);
  await page.context().route("**/label?by=*", (route) => route.abort());
  await page.keyboard.press("b");
  await drag(page, at(0.2, 0.7), at(0.3, 0.8));
  const drawn = await sum();
  await openImage(names[3]);
  await page.waitForSelector("text=/your last strokes are not saved/");
  await page.context().unroute("**/label?by=*");
  await page.waitForSelector("text=/your last strokes are saved now/", { timeout: 15_000 });
  assert.equal((await label(page, names[2])).sum, drawn);
  await openImage(names[2]);

  step("an answer for what was shown before is dropped");
  await page.route("**/predictions/*/mask", async (route) => {
    await new Promise((done) => setTimeout(done, 1200));
    await route.continue();
  });
  await page.getByLabel("Show", { exact: true }).selectOption("mask:model-1");
  await page.getByLabel("Show", { exact: true }).selectOption("label");
  await page.waitForTimeout(1800);
  assert.equal(await page.evaluate(() => window.sorbyEditor.view.layers[0] === window.sorbyEditor.label.layer), true);
  await page.unroute("**/predictions/*/mask");
}

/** In a project of eight images that a model named model-1 has segmented; the last two have no label. */
export async function labelling(given) {
  const w = await workbench(given);
  await strokes(w);
  await predictionOverHandWork(w);
  await emptiedLabel(w);
  await savesInBetween(w);
  await twoFingers(w);
  await nextImage(w);
  await looks(w);
  await keys(w);
  await smartFill(w);
  await otherWindows(w);
}

/** An image above 16 megapixels is drafted in a frame. */
export async function largeImage({ page, base, name, step, drag }) {
  step("a large image is drafted in a frame about what is seen; strokes outside of it say so");
  await page.goto(`${base}#/image/${name}`);
  await page.waitForFunction(() => window.sorbyEditor?.view.transform());
  await page.waitForTimeout(800);
  const box = await page.locator(".views").boundingBox();
  const show = (x, y) => page.evaluate(([x, y]) => window.sorbyEditor.view.zoomTo(0.5, { x, y }), [x, y]);
  await show(2500, 2500);
  await page.waitForTimeout(400);
  await page.keyboard.press("d");
  await page.waitForSelector("text=/stroke of each class in the frame/");
  const part = () => page.evaluate(() => window.sorbyEditor.draft.part);
  const first = await part();
  assert.ok(Math.abs(first.x + first.width / 2 - 2500) < 300 && Math.abs(first.y + first.height / 2 - 2500) < 300, "about what is seen");
  await show(600, 600);
  await page.waitForSelector("#move-draft");
  await drag(page, [box.x + 300, box.y + 300], [box.x + 380, box.y + 320]);
  await page.waitForSelector("text=/outside of the frame/");
  await page.locator("#move-draft").click();
  const moved = await part();
  assert.ok(moved.x < first.x && moved.y < first.y, "the frame has moved");
  await page.waitForSelector("#move-draft", { state: "detached" });
}
