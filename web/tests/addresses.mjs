// Addresses and titles name the view; back and forward lead through them; a slow answer is announced.

import assert from "node:assert/strict";
import { openView, views } from "./views.mjs";

export async function addressesAndHistory({ newPage, base, image, run }) {
  const page = await newPage({ viewport: { width: 900, height: 500 } });
  const titles = [];
  for (const view of views(image, run)) {
    await openView(page, base, view);
    titles.push(await page.title());
  }
  const rest = " - steel - Sorby";
  const names = ["Images", image, `Run ${run}`, "Measure objects", `Threshold of ${image}`, "Routine", "Lot Heat 12", "Classes", "Jobs"];
  assert.deepEqual(titles, names.map((name) => name + rest));
  await backAndForward(page, base, image);
  await slowNetwork(page, base);
  await page.context().close();
}

async function backAndForward(page, base, image) {
  await openView(page, base, { hash: "#/", ready: ".gallery li" });
  const card = page.locator(".gallery li").last();
  await card.scrollIntoViewIfNeeded();
  await page.waitForTimeout(300);
  const top = async () => (await page.locator(".gallery li").last().boundingBox()).y;
  const before = await top();
  await card.locator("a").first().click();
  await page.waitForSelector(".image-page");
  await page.goBack();
  await page.waitForSelector(".gallery li");
  await page.waitForTimeout(300);
  assert.ok(Math.abs((await top()) - before) < 8, `the place in the gallery is kept: ${before}, ${await top()}`);
  await page.goForward();
  await page.waitForSelector(".image-page");
  await page.getByRole("link", { name: "Compare with a threshold" }).click();
  await page.waitForSelector(".duel");
  await page.getByRole("tab", { name: "Objects and fields" }).click();
  await page.waitForFunction(() => location.hash === "#/measure");
  await page.goBack();
  await page.waitForSelector(".duel tbody tr");
  assert.notEqual(await page.evaluate(() => location.hash), "#/measure");
}

async function slowNetwork(page, base) {
  await openView(page, base, { hash: "#/", ready: ".gallery li" });
  await page.route("**/api/runs", async (route) => {
    await new Promise((done) => setTimeout(done, 1200));
    await route.continue();
  });
  await page.evaluate(() => (location.hash = "#/train"));
  await page.waitForSelector("main :text('Loading')", { timeout: 1000 });
  await page.waitForSelector(".train-page");
  await page.unroute("**/api/runs");
}
