// Every view at every size of a window: nothing is wider than the window, the image has room, nothing grows by itself.

import assert from "node:assert/strict";
import { join } from "node:path";
import { openView, views } from "./views.mjs";

const SIZES = [
  { name: "phone", width: 390, height: 844 },
  { name: "tablet", width: 820, height: 1180 },
  { name: "laptop-200", width: 640, height: 400, scale: 2 },
  { name: "small", width: 900, height: 700 },
  { name: "wide", width: 2560, height: 1300 },
];
/** Least height of the place of the image. */
const LEAST_PX = 240;

const measure = (page) =>
  page.evaluate(() => {
    const main = document.querySelector("main");
    // What a frame of its own moves sideways does not make the page wider.
    const framed = (e) => e.closest(".scroller, .tools, pre, .u-wrap, .view, select, .visually-hidden, .skip, .hidden-input");
    const wide = [...document.querySelectorAll("body *")].filter((e) => !framed(e) && e.getBoundingClientRect().right > innerWidth + 1);
    return {
      bodyWidth: document.documentElement.scrollWidth,
      mainWidth: main.scrollWidth - main.clientWidth,
      mainHeight: main.scrollHeight,
      image: document.querySelector(".views")?.getBoundingClientRect().height ?? null,
      wide: wide.slice(0, 4).map((e) => `${e.tagName}.${e.className}`),
    };
  });

/** `newPage` opens a window with a cookie; `shots` is a folder for pictures, or undefined. */
export async function everySize({ newPage, base, image, run, shots }) {
  for (const { name, width, height, scale } of SIZES) {
    const page = await newPage({ viewport: { width, height }, deviceScaleFactor: scale ?? 1 });
    for (const view of views(image, run)) {
      await openView(page, base, view);
      const first = await measure(page);
      const where = `${view.name} at ${name}`;
      assert.ok(first.bodyWidth <= width, `${where}: the page is ${first.bodyWidth} px wide`);
      assert.ok(first.mainWidth <= 0, `${where}: the view is ${first.mainWidth} px too wide: ${first.wide}`);
      assert.deepEqual(first.wide, [], where);
      if (first.image !== null) assert.ok(first.image >= LEAST_PX, `${where}: the image has ${first.image} px`);
      if (shots) await page.screenshot({ path: join(shots, `${name}-${view.name}.png`) });
      if (view.name === "train" || view.name === "measure") {
        await page.waitForTimeout(800);
        const later = await measure(page);
        assert.ok(later.mainHeight <= first.mainHeight + 2, `${where}: grows from ${first.mainHeight} to ${later.mainHeight} px`);
      }
    }
    await page.context().close();
  }
}
