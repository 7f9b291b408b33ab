// Labelling loses nothing: strokes of drafts, work by hand, what is seen from one image to the next.
// Called by browser.mjs with a project of eight images that a model named model-1 has segmented; the last two have no label.

import assert from "node:assert/strict";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** Stands in for the addresses of strokes and versions while the program does not have them. */
async function standIn(page, base) {
  const asked = await page.request.get(`${base}api/project`);
  const { images } = await asked.json();
  const there = await page.request.get(`${base}api/images/${images[0].name}/versions`);
  if (there.ok()) return;
  console.log("  (the program knows no strokes and no versions yet: a stand-in answers)");
  const strokes = new Map();
  const versions = new Map();
  const nameOf = (request) => new URL(request.url()).pathname.split("/")[3];
  await page.context().route("**/api/images/*/sketch", async (route) => {
    const request = route.request();
    const name = nameOf(request);
    if (request.method() === "GET") {
      const known = strokes.get(name);
      return known ? route.fulfill({ body: known, contentType: "application/octet-stream" }) : route.fulfill({ status: 204 });
    }
    const body = gunzipSync(request.postDataBuffer());
    if (body.every((v) => v === 255)) strokes.delete(name);
    else strokes.set(name, body);
    return route.fulfill({ json: {} });
  });
  await page.context().route("**/api/images/*/label?by=*", async (route) => {
    const request = route.request();
    const name = nameOf(request);
    const by = new URL(request.url()).searchParams.get("by");
    const before = await page.request.get(`${base}api/images/${name}/label`);
    const body = await before.body();
    const kept = versions.get(name) ?? [];
    if (by !== "strokes" && !body.every((v) => v === 255)) kept.unshift({ id: String(kept.length + 1), body });
    versions.set(name, kept);
    return route.continue();
  });
  await page.context().route(/\/versions(\/\d+)?$/, (route) => {
    const [, , , name, , id] = new URL(route.request().url()).pathname.split("/");
    const kept = versions.get(name) ?? [];
    if (id) return route.fulfill({ body: kept.find((v) => v.id === id).body, contentType: "application/octet-stream" });
    const row = ({ id }) => ({ id, time_s: 1764240000, by: "unknown", drawn_by_hand: true, labelled_percent: 100 });
    return route.fulfill({ json: { versions: kept.map(row) } });
  });
}

export async function labelling({ page, base, names, step, saved, label, drag, look }) {
  await standIn(page, base);
  const data = () => page.evaluate(() => Array.from(window.sorbyEditor.map.data));
  const sum = async () => (await data()).reduce((s, v, i) => (s * 31 + v * ((i % 251) + 1)) % 1000000007, 0);
  const strokePixels = () =>
    page.evaluate(() => window.sorbyEditor.draft?.strokes.map.data.reduce((n, v) => n + (v !== 255), 0) ?? null);
  const openImage = async (name) => {
    await page.goto(`${base}#/image/${name}`);
    await page.waitForFunction((name) => document.querySelector(".image-bar h1")?.textContent === name, name);
    await page.waitForFunction(() => window.sorbyEditor.view.transform());
    await page.waitForTimeout(400);
  };
  const box = await openImage(names[0]).then(() => page.locator(".views").boundingBox());
  const at = (x, y) => [box.x + box.width * x, box.y + box.height * y];
  const undoOff = () => page.locator("#undo").isDisabled();

  step("strokes of a draft have an undo of their own: the label on disk stays as it is");
  const before = await label(page, names[0]);
  await page.keyboard.press("d");
  await page.waitForSelector("#use-draft");
  assert.equal(await undoOff(), true, "nothing to undo yet");
  await page.keyboard.press("1");
  await drag(page, at(0.3, 0.9), at(0.4, 0.92));
  await page.keyboard.press("2");
  await drag(page, at(0.6, 0.4), at(0.62, 0.42));
  await page.waitForSelector("#use-draft:not([disabled])");
  const two = await strokePixels();
  await page.keyboard.press("Control+z");
  const one = await strokePixels();
  assert.ok(one > 0 && one < two, "the last stroke is gone");
  await page.waitForSelector("#use-draft[disabled]");
  await page.keyboard.press("Control+y");
  assert.equal(await strokePixels(), two, "and back");
  await page.waitForTimeout(900);
  assert.deepEqual(await label(page, names[0]), before, "the label was not touched");
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

  step("strokes stay: closed, another image, reload");
  await page.keyboard.press("d");
  await page.waitForSelector("#use-draft", { state: "detached" });
  await page.keyboard.press("d");
  await page.waitForSelector("#use-draft:not([disabled])");
  assert.equal(await strokePixels(), two, "closing the draft keeps them");
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

  step("a draft does not replace work by hand unasked; it is one step, and what was there is a version");
  await page.locator(".views").focus();
  await page.keyboard.press("a");
  await page.waitForSelector("dialog[open]");
  assert.match(await page.locator("dialog").innerText(), /drawn by hand.*kept as a version.*Ctrl\+Z/s);
  await look(page, "question");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
  assert.deepEqual(await label(page, names[0]), before, "Escape changes nothing");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#use-draft", { state: "detached" });
  await saved(page);
  const drafted = await label(page, names[0]);
  assert.notEqual(drafted.sum, before.sum);
  assert.equal(await page.locator("text=The strokes of an earlier draft are kept.").count(), 1);
  await page.keyboard.press("Control+z");
  await saved(page);
  await page.waitForTimeout(900);
  await saved(page);
  assert.equal((await label(page, names[0])).sum, before.sum, "undone at once");
  await page.keyboard.press("Control+y");
  await page.waitForTimeout(900);
  await saved(page);

  step("the version is compared and taken back");
  await page.locator("summary", { hasText: "Versions" }).click();
  await page.waitForSelector(".versions button");
  await page.locator(".versions").getByRole("button", { name: /Compare/ }).last().click();
  await page.waitForFunction(() => window.sorbyEditor.view.layers.length === 2);
  await look(page, "versions");
  await page.locator(".versions").getByRole("button", { name: /Take back/ }).last().click();
  await page.waitForTimeout(900);
  await saved(page);
  assert.equal((await label(page, names[0])).sum, before.sum, "the label of before");
  await page.keyboard.press("Control+z");
  await page.waitForTimeout(900);
  await saved(page);
  assert.equal((await label(page, names[0])).sum, drafted.sum, "and this can be undone");

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
