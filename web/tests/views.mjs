// The views of the page, for tests that look at each of them.

/** Address, and what is there when the view has opened. `image` is the name of one. */
export const views = (image, run) => [
  { name: "images", hash: "#/", ready: ".gallery li" },
  { name: "image", hash: `#/image/${image}`, ready: ".image-page" },
  { name: "train", hash: `#/train/${run}`, ready: ".run-detail h2, .run-detail p" },
  { name: "measure", hash: "#/measure", ready: ".results table" },
  { name: "threshold", hash: `#/measure/${image}`, ready: ".duel tbody tr" },
  { name: "routine", hash: "#/routine", ready: ".lot-form" },
  { name: "lot", hash: "#/routine/Heat%2012", ready: ".lot-verdict" },
  { name: "classes", hash: "#/classes", ready: ".class-rows li" },
  { name: "jobs", hash: "#/jobs", ready: ".jobs-page" },
];

/** Answers the question that the page asks in a window of its own. */
export async function answer(page, button) {
  await page.locator("dialog[open]").getByRole("button", { name: button, exact: true }).click();
}

export async function openView(page, base, { hash, ready }) {
  await page.goto("about:blank");
  await page.goto(`${base}${hash}`);
  await page.waitForSelector(ready);
  await page.waitForTimeout(400);
}
