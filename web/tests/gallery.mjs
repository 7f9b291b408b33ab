// The gallery: found, sorted, put into splits, given a pixel size, added to, removed. What the server is asked is looked at here.

import assert from "node:assert/strict";
import { answer, openView } from "./views.mjs";

async function listen(page) {
  const asked = [];
  const note = (route) => {
    const request = route.request();
    const path = new URL(request.url()).pathname.replace("/api", "");
    asked.push([request.method(), path, request.postDataJSON()]);
    return route.fulfill({ json: {} });
  };
  await page.route("**/api/splits", note);
  await page.route("**/api/scale", note);
  await page.route("**/api/images/*", (route) => (route.request().method() === "DELETE" ? note(route) : route.continue()));
  return asked;
}

export async function galleryControls({ newPage, base, image, names, shots, axe }) {
  const page = await newPage({ viewport: { width: 1280, height: 900 } });
  const asked = await listen(page);
  await openView(page, base, { hash: "#/", ready: ".gallery li" });
  await foundAndSorted(page, names);
  await splitsAndScale(page, asked, image);
  if (shots) await page.screenshot({ path: `${shots}/gallery.png` });
  await axe?.(page, "gallery");
  await droppedFiles(page);
  await lineOverScaleBar(page, base, asked, image, shots);
  await emptyGallery(page, base);
  await page.context().close();
}

const shown = (page) => page.locator(".gallery .name").allTextContents();

async function foundAndSorted(page, names) {
  const search = page.getByLabel("Search", { exact: true });
  await search.fill(names[3].slice(-3).toUpperCase());
  assert.deepEqual(await shown(page), names.filter((n) => n.toUpperCase().includes(names[3].slice(-3).toUpperCase())));
  await search.fill("no image is called this");
  await page.waitForSelector(".gallery .empty:has-text('No image is named')");
  await search.fill("");
  await page.getByLabel("Show", { exact: true }).selectOption("split:val");
  assert.deepEqual(await shown(page), names.slice(0, 2));
  await page.getByLabel("Show", { exact: true }).selectOption("all");
  await page.getByLabel("Sort by", { exact: true }).selectOption("split");
  assert.deepEqual((await shown(page)).slice(-2), names.slice(0, 2), "train comes before val");
  await page.getByLabel("Sort by", { exact: true }).selectOption("name");
}

async function splitsAndScale(page, asked, image) {
  await page.getByLabel(`Split of ${image}`).focus();
  await page.getByLabel(`Split of ${image}`).selectOption("test");
  assert.deepEqual(await answered(asked), ["POST", "/splits", { split: "test", images: [image] }]);
  await page.locator(".edit-images summary").click();
  await page.getByLabel(`Select ${image}`).check();
  assert.match(await page.locator(".editing").innerText(), /1 selected/);
  await page.getByRole("button", { name: "Hold out every fifth" }).click();
  await answer(page, "Hold out");
  assert.deepEqual(await answered(asked), ["POST", "/splits", { hold_out_every: 5 }]);
  await page.getByLabel("Pixel size", { exact: true }).last().fill("0,05");
  await page.getByLabel("Unit of the pixel size").selectOption("µm/px");
  await page.getByRole("button", { name: "Set for the selected" }).click();
  await page.waitForSelector("text=50 nm/px for 1 image");
  assert.deepEqual(asked.pop(), ["POST", "/scale", { nm_per_px: 50, images: [image] }]);
  await page.getByRole("button", { name: "Delete the selected images" }).click();
  await answer(page, "Delete");
  assert.deepEqual(await answered(asked), ["DELETE", `/images/${image}`, null]);
}

/** The last question that the page asked, which may be on its way. */
async function answered(asked) {
  for (let i = 0; i < 100 && !asked.length; i++) await new Promise((done) => setTimeout(done, 50));
  return asked.pop();
}

/** Files are dropped: the sidecar goes first, what belongs to nothing is reported, and the progress is shown. */
async function droppedFiles(page) {
  const sent = [];
  let seen;
  const progressSeen = new Promise((done) => (seen = done));
  await page.route("**/api/images?name=*", async (route) => {
    sent.push(new URL(route.request().url()).searchParams.get("name"));
    if (sent.length === 2) await progressSeen;
    await route.fulfill({ json: {} });
  });
  await page.evaluate(() => {
    const data = new DataTransfer();
    for (const name of ["heat.tif", "heat.txt", "list.docx"]) data.items.add(new File(["x"], name));
    document.querySelector(".gallery-page").dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true, bubbles: true }));
  });
  await page.waitForSelector("text=2 of 2: heat.tif");
  await page.waitForSelector("text=list.docx is neither an image");
  seen();
  await page.waitForSelector(".adding", { state: "hidden" });
  assert.deepEqual(sent, ["heat.txt", "heat.tif"]);
}

async function lineOverScaleBar(page, base, asked, image, shots) {
  await openView(page, base, { hash: `#/image/${image}`, ready: ".image-page" });
  await page.locator("#pixel-size").click();
  const box = await page.locator(".views").boundingBox();
  const [x, y] = [box.x + 100, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 200, y, { steps: 5 });
  await page.mouse.up();
  const pixels = Number(await page.getByLabel("Length of the line in px").inputValue());
  const zoom = await page.evaluate(() => window.sorbyEditor.view.transform().zoom);
  assert.ok(Math.abs(pixels - 200 / zoom) < 0.01 * pixels, `${pixels} px at a zoom of ${zoom}`);
  await page.getByLabel("Its length in nature").fill("5");
  if (shots) await page.screenshot({ path: `${shots}/scale-line.png` });
  await page.getByRole("button", { name: "Set for this image" }).first().click();
  await page.waitForSelector(".scale-panel", { state: "hidden" });
  const [method, path, { nm_per_px, images }] = asked.pop();
  assert.deepEqual([method, path, images], ["POST", "/scale", [image]]);
  assert.ok(Math.abs(nm_per_px - 5000 / pixels) < 1e-9);
}

async function emptyGallery(page, base) {
  await page.route("**/api/project", async (route) => {
    const project = await (await route.fetch()).json();
    await route.fulfill({ json: { ...project, images: [] } });
  });
  await openView(page, base, { hash: "#/", ready: ".gallery .empty" });
  await page.waitForSelector(".gallery .empty:has-text('Add images, or drop them here')");
}
