// What the tests of labelling share: the page of an image, and what lies in its editor.

export async function workbench(given) {
  const { page, base, names } = given;
  /** Opens an image, and waits until it is there. */
  const openImage = async (name) => {
    await page.goto(`${base}#/image/${name}`);
    await page.waitForFunction((name) => document.querySelector(".image-bar h1")?.textContent === name, name);
    await page.waitForFunction(() => window.sorbyEditor.view.transform());
    await page.waitForTimeout(400);
  };
  await openImage(names[0]);
  const box = await page.locator(".views").boundingBox();
  return {
    ...given,
    openImage,
    /** A place of the view by its shares of width and height, on the screen. */
    at: (x, y) => [box.x + box.width * x, box.y + box.height * y],
    /** A sum over the label in the editor. */
    sum: () =>
      page.evaluate(() => window.sorbyEditor.map.data.reduce((s, v, i) => (s * 31 + v * ((i % 251) + 1)) % 1000000007, 0)),
    /** How many pixels have a stroke of the draft; null while none is open. */
    strokePixels: () =>
      page.evaluate(() => window.sorbyEditor.draft?.strokes.map.data.reduce((n, v) => n + (v !== 255), 0) ?? null),
    undoOff: () => page.locator("#undo").isDisabled(),
  };
}
