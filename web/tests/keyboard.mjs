// The keyboard alone: Tab reaches every control of every view and leaves it again; the focus follows a change of view.

import assert from "node:assert/strict";
import { openView, views } from "./views.mjs";

/** Names of the controls that Tab should stop at. What is made anew under the same name counts as the same. */
const controls = (page) =>
  page.evaluate(() => {
    const text = (e) => `${e.tagName} ${e.id.replace(/^choice-\d+/, "")} ${e.ariaLabel ?? e.labels?.[0]?.textContent ?? e.textContent.slice(0, 40)}`;
    const selector = "a[href], button, input, select, textarea, summary, [tabindex]";
    // Of several with the same name the number says which.
    window.nameOf = (e) => {
      const name = text(e);
      const same = [...document.querySelectorAll(selector)].filter((other) => text(other) === name);
      return `${name} ${same.indexOf(e)}`;
    };
    const all = [...document.querySelectorAll(selector)];
    const shown = (e) => e.checkVisibility({ visibilityProperty: true });
    return all.filter((e) => e.tabIndex >= 0 && !e.disabled && shown(e) && !e.closest("[inert]")).map(window.nameOf);
  });

/** What has the focus; null while the browser itself has it. */
const focused = (page) => page.evaluate(() => (document.activeElement === document.body ? null : window.nameOf(document.activeElement)));

async function tabThrough(page, where) {
  const expected = await controls(page);
  assert.ok(expected.length > 5, `${where}: ${expected.length} controls`);
  const seen = [];
  for (let i = 0; i < expected.length + 12; i++) {
    await page.keyboard.press("Tab");
    seen.push(await focused(page));
    assert.ok(seen.length < 4 || new Set(seen.slice(-4)).size > 1, `${where}: Tab stays at ${seen.at(-1)}`);
  }
  const missed = expected.filter((name) => !seen.includes(name));
  assert.deepEqual(missed, [], `${where}: Tab does not reach these`);
}

export async function keyboardAlone({ newPage, base, image, run }) {
  const page = await newPage({ viewport: { width: 1280, height: 800 } });
  for (const view of views(image, run)) {
    await openView(page, base, view);
    await tabThrough(page, view.name);
  }
  await keysKeepTheFocus(page, base, image);
  await focusFollows(page, base, image);
  await tabsByArrows(page, base);
  await selectionByKeys(page, base);
  await page.context().close();
}

/** A key changes the tool, the class and the draft: the control that has the focus keeps it. */
async function keysKeepTheFocus(page, base, image) {
  await openView(page, base, { hash: `#/image/${image}`, ready: ".image-page" });
  for (const control of ["[data-tool=polygon]", ".classes button", "#sketch"]) {
    await page.locator(control).first().focus();
    for (const key of ["b", "]", "2", "Tab"]) await page.keyboard.press(key);
    const after = await page.evaluate((c) => {
      const [control] = document.querySelectorAll(c);
      const follows = control.compareDocumentPosition(document.activeElement) & Node.DOCUMENT_POSITION_FOLLOWING;
      return { follows: Boolean(follows), body: document.activeElement === document.body };
    }, control);
    assert.deepEqual(after, { follows: true, body: false }, `Tab goes on from ${control}`);
  }
}

async function focusFollows(page, base, image) {
  await openView(page, base, { hash: "#/", ready: ".gallery li" });
  const heading = () => page.evaluate(() => [document.activeElement.tagName, document.activeElement.textContent, document.title]);
  const arrive = async (text) => {
    await page.waitForFunction((t) => document.activeElement.tagName === "H1" && document.activeElement.textContent.startsWith(t), text);
    return heading();
  };
  await page.locator(`.gallery a`).first().focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector(".image-page");
  assert.match((await arrive(image.slice(0, 3)))[2], /^\S+ - steel - Sorby$/);
  await page.getByRole("link", { name: "Train" }).focus();
  await page.keyboard.press("Enter");
  await arrive("Train");
}

async function tabsByArrows(page, base) {
  await openView(page, base, { hash: "#/measure", ready: "[role=tab]" });
  const chosen = () => page.evaluate(() => [document.activeElement.getAttribute("role"), document.activeElement.textContent, document.activeElement.ariaSelected]);
  await page.locator("[role=tab][aria-selected=true]").focus();
  await page.keyboard.press("ArrowRight");
  await page.waitForSelector(".duel");
  await page.waitForFunction(() => document.activeElement.ariaSelected === "true");
  assert.deepEqual(await chosen(), ["tab", "Threshold of an image", "true"]);
  await page.keyboard.press("Home");
  await page.waitForSelector(".results table");
  await page.waitForFunction(() => document.activeElement.ariaSelected === "true");
  assert.deepEqual(await chosen(), ["tab", "Objects and fields", "true"]);
}

/** A range of the histogram is selected without a pointer. */
async function selectionByKeys(page, base) {
  await openView(page, base, { hash: "#/measure", ready: ".results table" });
  const count = async () => Number(/^\d+/.exec(await page.locator(".selection").innerText())[0]);
  const all = await count();
  await page.getByRole("textbox", { name: "Select from" }).focus();
  await page.keyboard.type("400");
  await page.keyboard.press("Tab");
  const some = await count();
  assert.ok(some > 0 && some < all, `${some} of ${all} objects are 400 or larger`);
  assert.match(await page.locator(".selection").innerText(), /objects of 400 or more/);
}
