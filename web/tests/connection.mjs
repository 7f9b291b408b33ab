// The server ends and comes back: the page says so by itself, and shows what has changed meanwhile.

import assert from "node:assert/strict";

/** `start` starts a server for a project; `newPage` opens a window that it lets in; `change` adds an image to the project. */
export async function serverLost({ start, newPage, change }) {
  let server = await start();
  const page = await newPage(server);
  await page.goto(server.base);
  await page.waitForSelector(".gallery li");
  const images = await page.locator(".gallery li").count();
  assert.equal(await page.locator("#lost").isVisible(), false);
  await server.stop();
  await page.waitForSelector("#lost:not([hidden])", { timeout: 3000 });
  assert.match(await page.locator("#lost").innerText(), /does not answer/);
  await page.evaluate(() => (location.hash = "#/train"));
  await page.waitForSelector("main [role=alert]");
  await change();
  server = await start();
  // A new start has a new cookie: opening the printed address in any tab of the browser gives it.
  await page.waitForSelector("#lost:has-text('address that it printed')");
  await page.context().request.get(server.address);
  await page.waitForSelector(".train-page", { timeout: 8000 });
  await page.waitForSelector("#lost", { state: "hidden" });
  await page.evaluate(() => (location.hash = "#/"));
  await page.waitForFunction((n) => document.querySelectorAll(".gallery li").length === n, images + 1);
  server = await strokesAreSaved(page, server, start);
  await server.stop();
  await page.context().close();
}

/** What is drawn while the server is gone is saved when it is back, without a click. */
async function strokesAreSaved(page, server, start) {
  await page.locator(".gallery a").first().click();
  await page.waitForSelector(".image-page");
  await page.waitForTimeout(800);
  await server.stop();
  await page.waitForSelector("#lost:not([hidden])");
  await page.keyboard.press("b");
  const box = await page.locator(".views").boundingBox();
  await page.mouse.move(box.x + 0.3 * box.width, box.y + 0.5 * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.6 * box.width, box.y + 0.5 * box.height, { steps: 5 });
  await page.mouse.up();
  await page.waitForSelector(".state:has-text('Not saved')");
  const again = await start();
  await page.context().request.get(again.address);
  await page.waitForSelector(".state:text-is('Saved')", { timeout: 10_000 });
  return again;
}
