// Splits, pixel sizes and removals reach the project's files: nothing is made up here.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { answer, openView } from "./views.mjs";

/** `root` is a project of its own, with `splits` in its dataset.toml and a run; `server` serves it. */
export async function projectChanges({ newPage, server, root, names, run }) {
  const page = await newPage({ viewport: { width: 1280, height: 900 } }, server);
  await openView(page, server.base, { hash: "#/", ready: ".gallery li" });
  const manifest = () => readFileSync(join(root, "dataset.toml"), "utf8");
  const card = (name) => page.locator(`[data-entry="${name}"]`);
  const splitOf = (name) => card(name).locator("select").inputValue();

  await card(names[3]).locator("select").focus();
  await card(names[3]).locator("select").selectOption("test");
  await page.waitForFunction(() => document.querySelector(".gallery-page select[id] option[value='split:test']"));
  assert.match(manifest(), new RegExp(`test\\s*=\\s*\\[\\s*"${names[3]}"`));
  assert.equal(await splitOf(names[3]), "test");

  await page.locator(".edit-images summary").click();
  await page.getByRole("button", { name: "Hold out every fifth" }).click();
  await answer(page, "Hold out");
  await page.waitForSelector("text=Every fifth labelled image is in val now");
  const splits = async () => (await page.evaluate(async () => (await fetch("/api/project")).json())).images.map((c) => [c.labelled, c.split]);
  const labelled = (await splits()).filter(([has]) => has).map(([, split]) => split);
  assert.equal(labelled.filter((s) => s === "val").length, Math.floor(labelled.length / 5), String(labelled));
  assert.ok(labelled.every((s) => s === "val" || s === "train"), String(labelled));

  await page.getByLabel("Pixel size", { exact: true }).last().fill("20");
  await page.getByRole("button", { name: "Set for all images" }).click();
  await page.waitForSelector(`[data-entry="${names[0]}"]:has-text("20 nm/px")`);
  assert.match(manifest(), /nm_per_px\s*=\s*20/);

  await card(names[5]).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Delete the selected images" }).click();
  await answer(page, "Delete");
  await page.waitForFunction((name) => !document.querySelector(`[data-entry="${name}"]`), names[5]);
  assert.ok(existsSync(join(root, ".sorby/removed")), "it is kept aside");

  await openView(page, server.base, { hash: `#/train/${run}`, ready: "#run-facts" });
  await page.getByRole("button", { name: /^Delete \(frees \d+ MB\)$/ }).click();
  await answer(page, "Delete");
  await page.waitForSelector("text=are free again");
  assert.ok(!existsSync(join(root, "runs", run)));
  await page.context().close();
}
