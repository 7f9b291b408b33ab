// Measurements: the smallest object, the order of the table, and no objects of images that are not chosen.

import assert from "node:assert/strict";
import { openView } from "./views.mjs";

export async function measurementsChosen({ newPage, base, shots }) {
  const page = await newPage({ viewport: { width: 1280, height: 900 } });
  await openView(page, base, { hash: "#/measure", ready: ".results table" });
  await smallestObject(page);
  await edgeAndTouching(page);
  await sortedTable(page);
  await page.getByLabel("Weighted by", { exact: true }).selectOption("area");
  await page.waitForSelector(".u-legend:has-text('area, %')");
  if (shots) await page.screenshot({ path: `${shots}/measuring.png`, fullPage: true });
  await noImage(page);
  await page.context().close();
}

const count = async (page) => Number(/^\d+/.exec(await page.locator(".selection").innerText())[0]);

/** Does something that asks for objects of at least `area_px`, waits until they are shown, and gives their number. */
async function countAfter(page, area_px, change) {
  const answers = page.waitForResponse((r) => r.url().endsWith("/api/measure") && r.request().postDataJSON().min_area_px === area_px);
  await change();
  const { images } = await (await answers).json();
  const found = images.reduce((sum, image) => sum + image.objects.length, 0);
  await page.waitForFunction((n) => document.querySelector(".selection")?.textContent.startsWith(`${n} objects`), found);
  return found;
}

/** Objects at the edge are left out, and touching ones taken apart. */
async function edgeAndTouching(page) {
  const all = await count(page);
  const asked = (key, value) =>
    page.waitForResponse((r) => r.url().endsWith("/api/measure") && r.request().postDataJSON()[key] === value);
  const shown = async (answer) => {
    const { images } = await (await answer).json();
    return images.reduce((sum, image) => sum + image.objects.length, 0);
  };
  let answer = asked("exclude_edge", true);
  await page.getByLabel("Leave out objects at the edge").check();
  const inside = await shown(answer);
  assert.ok(inside > 0 && inside < all, `${inside} of ${all} objects touch no edge`);
  answer = asked("split_depth_px", 1);
  await page.getByLabel("Take touching objects apart").selectOption("1");
  const apart = await shown(answer);
  assert.ok(apart > inside, `${apart} parts of ${inside} objects`);
  answer = asked("exclude_edge", false);
  await page.getByLabel("Leave out objects at the edge").uncheck();
  await shown(answer);
  answer = asked("split_depth_px", null);
  await page.getByLabel("Take touching objects apart").selectOption("");
  assert.equal(await shown(answer), all);
}

async function smallestObject(page) {
  const all = await count(page);
  const smallest = page.getByLabel("Smallest object counted");
  const type = (text) => async () => {
    await smallest.fill(text);
    await smallest.press("Tab");
  };
  const found = await countAfter(page, 100, type("100"));
  assert.ok(found > 0 && found < all, `${found} of ${all} objects have 100 px or more`);
  // 100 µm in 38.76 nm a pixel.
  const area_px = Math.ceil((Math.PI / 4) * (100000 / 38.76) ** 2);
  const unit = page.getByLabel("Unit of the smallest object", { exact: true });
  assert.equal(await countAfter(page, area_px, () => unit.selectOption("um")), 0);
  assert.equal(await countAfter(page, 100, () => unit.selectOption("px")), found);
  await type("many")();
  await page.waitForSelector("text=Type a number of pixels");
  assert.equal(await countAfter(page, 0, type("")), all);
}

async function sortedTable(page) {
  const diameters = async () =>
    (await page.locator(".results table").last().locator("tbody tr td:nth-child(3)").allInnerTexts()).slice(0, 50).map(Number);
  const head = page.getByRole("button", { name: "Sort by diameter nm" });
  await head.click();
  const falling = await diameters();
  assert.deepEqual(falling, [...falling].sort((a, b) => b - a));
  await head.click();
  const rising = await diameters();
  assert.deepEqual(rising, [...rising].sort((a, b) => a - b));
  assert.ok(rising[0] < falling[0]);
  assert.equal(await page.locator("th[aria-sort]").getAttribute("aria-sort"), "ascending");
}

/** What was measured before is not saved as the objects of no image. */
async function noImage(page) {
  for (const box of await page.locator(".picks input").all()) await box.uncheck();
  await page.waitForSelector("text=No field is chosen");
  assert.equal(await page.getByRole("button", { name: "Objects as CSV" }).isDisabled(), true);
}
