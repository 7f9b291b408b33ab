// Two paths from images to a report, with clicks, keys and waiting counted: `node web/tests/paths.mjs SORBY [MINUTES]`.
// The scientist has six images without anything; the technician has twelve new ones and a job. MINUTES is the time of the
// training as the page offers it: 2 (default), 5, 15. Micrographs of ../shared where they are, synthetic ones elsewhere.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { pause, served } from "./processes.mjs";

const program = resolve(process.argv[2]);
const minutes = process.argv[3] ?? "2";
const PORT = 7987;
const chromiumPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
assert.ok(chromiumPath, "a browser of the Chromium family is needed");
const shared = join(dirname(fileURLToPath(import.meta.url)), "../../../shared/data");
const work = mkdtempSync(join(tmpdir(), "sorby-paths-"));
/** Strokes of each class in each image. */
const STROKES = 3;
/** The most that a step may take in clicks and in keys, about twice what it takes today. */
const MOST = { "Open the folder": [2, 0], "Name the classes": [4, 20], "Pixel size": [6, 16], "Label six images": [90, 80], "Hold one out, train": [14, 10], "Segment, measure": [6, 6], "First report": [8, 6] };

function copyOf(names, from, to) {
  mkdirSync(to, { recursive: true });
  for (const name of names) cpSync(join(from, name), join(to, name));
}

/** Six images in one folder and nothing else; their true labels, to know where a stroke is right; twelve new images. */
function makeImages() {
  const [raw, fresh, truth] = ["raw", "new", "truth"].map((name) => join(work, name));
  const real = join(shared, "uhcs-spheroidite");
  const magnified = (file) => readFileSync(file, "utf8").split("\n").filter((row) => row.includes("4910X")).map((row) => row.split(",")[0].replace(/\.png$/, ""));
  if (existsSync(real)) {
    const six = magnified(join(real, "meta.csv")).slice(0, 6).map((name) => `${name}.png`);
    copyOf(six, join(real, "images"), raw);
    copyOf(six, join(real, "labels"), truth);
    const more = join(shared, "uhcs-unlabelled");
    const there = new Set(readdirSync(join(more, "images")));
    copyOf(magnified(join(more, "meta.csv")).map((name) => `${name}.png`).filter((name) => there.has(name)).slice(0, 12), join(more, "images"), fresh);
    return { raw, fresh, truth, kind: "uhcs-spheroidite, uhcs-unlabelled", nm: "38.76" };
  }
  const made = join(work, "made");
  execFileSync(program, ["synth", "--out", made, "--images", "18", "--size", "640x480"], { stdio: "pipe" });
  const names = readdirSync(join(made, "images")).sort();
  copyOf(names.slice(0, 6), join(made, "images"), raw);
  copyOf(names.slice(0, 6), join(made, "labels"), truth);
  copyOf(names.slice(6), join(made, "images"), fresh);
  return { raw, fresh, truth, kind: "synthetic", nm: "38.76" };
}

/** Does what a hand does, and counts it. A drag is one click, a choice from a list is two. */
class Hand {
  steps = [];

  constructor(page) {
    this.page = page;
  }

  begin(name) {
    this.steps.push({ name, clicks: 0, keys: 0, waiting_s: 0, commands: 0 });
    return this.now;
  }

  get now() {
    return this.steps.at(-1);
  }

  async click(target) {
    await target.click();
    this.now.clicks++;
  }

  async choose(label, value) {
    await this.page.getByLabel(label, { exact: true }).selectOption(value);
    this.now.clicks += 2;
  }

  async press(key) {
    await this.page.keyboard.press(key);
    this.now.keys++;
  }

  async type(target, text) {
    await this.click(target);
    await this.page.keyboard.type(text);
    this.now.keys += text.length;
  }

  async drag(from, to) {
    await this.page.mouse.move(...from);
    await this.page.mouse.down();
    await this.page.mouse.move(...to, { steps: 8 });
    await this.page.mouse.up();
    this.now.clicks++;
  }

  /** Time in which the person can do nothing but wait. */
  async wait(what) {
    const began = Date.now();
    const found = await what;
    this.now.waiting_s += (Date.now() - began) / 1000;
    return found;
  }
}

/** The places of strokes of a class in the open image: the longest rows of it, far from each other. */
async function strokePlaces(page, truth, value) {
  const runs = await page.evaluate(
    async ([png, value]) => {
      const image = new Image();
      image.src = `data:image/png;base64,${png}`;
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      const { data, width, height } = context.getImageData(0, 0, image.width, image.height);
      const known = [...new Set(Array.from({ length: width * height }, (_, i) => data[4 * i]))].sort((a, b) => a - b);
      const runs = [];
      for (let y = 20; y < height - 20; y += 3)
        for (let x = 20, start = 20; x < width - 20; x++) {
          if (known.indexOf(data[4 * (y * width + x)]) !== value) start = x + 1;
          else if (x - start === 60 || known.indexOf(data[4 * (y * width + x + 1)]) !== value) {
            runs.push([y, start, x]);
            start = x + 1;
          }
        }
      return runs;
    },
    [readFileSync(truth).toString("base64"), value],
  );
  const chosen = [];
  for (const run of runs.sort((a, b) => b[2] - b[1] - a[2] + a[1])) {
    if (chosen.length < STROKES && chosen.every((c) => Math.hypot(c[0] - run[0], c[1] - run[1]) > 80)) chosen.push(run);
  }
  const onScreen = ([y, start, end]) =>
    page.evaluate(([y, a, b]) => {
      const { zoom, x, y: top } = window.sorbyEditor.view.transform();
      const box = window.sorbyEditor.view.canvas.getBoundingClientRect();
      return [a + 3, b - 3].map((px) => [box.left + x + px * zoom, box.top + top + y * zoom]);
    }, [y, start, end]);
  return Promise.all(chosen.map(onScreen));
}

async function labelOne(hand, page, name, truth) {
  await hand.wait(page.waitForFunction((n) => window.sorbyEditor?.view.info.name === n && window.sorbyEditor.view.transform() && document.querySelector(".image-bar h1")?.textContent === n, name));
  await pause(600);
  await hand.press("d");
  await page.waitForSelector("#use-draft");
  for (let i = 0; i < 6; i++) if ((await page.evaluate(() => window.sorbyEditor.radius)) > 3) await hand.press("[");
  for (const [value, key] of [[0, "1"], [1, "2"]]) {
    await hand.press(key);
    for (const [from, to] of await strokePlaces(page, truth, value)) await hand.drag(from, to);
  }
  await hand.wait(page.waitForSelector("#use-draft:not([disabled])"));
  await pause(500);
  await hand.press("a");
  await hand.wait(page.waitForFunction(() => document.querySelector(".state")?.textContent === "Saved" && !window.sorbyEditor.map.data.includes(255)));
}

async function scientist(images) {
  const server = served(program, images.raw, PORT);
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.on("dialog", (dialog) => dialog.accept());
    const hand = new Hand(page);
    hand.begin("Open the folder").commands = 1;
    await hand.wait(server.ready.then((address) => page.goto(address)));
    await hand.wait(page.waitForSelector("text=What is in your images?"));
    hand.begin("Name the classes");
    await hand.click(page.getByRole("button", { name: "Begin" }));
    await hand.wait(page.waitForSelector(".gallery li"));
    hand.begin("Pixel size");
    await hand.click(page.locator(".edit-images summary"));
    await hand.type(page.getByLabel("Pixel size", { exact: true }).last(), images.nm);
    await hand.click(page.getByRole("button", { name: "Set for all images" }));
    await hand.wait(page.waitForSelector(`.gallery li:has-text("${images.nm} nm/px")`));

    hand.begin("Label six images");
    const names = readdirSync(images.raw).filter((n) => /\.(png|tif)$/.test(n)).sort().map((n) => n.replace(/\.\w+$/, ""));
    await hand.click(page.locator(`[data-entry="${names[0]}"] a`).first());
    for (const [i, name] of names.entries()) {
      if (i) await hand.press("n");
      await labelOne(hand, page, name, join(images.truth, `${name}.png`));
    }

    hand.begin("Hold one out, train");
    await hand.click(page.getByRole("link", { name: "Images" }).first());
    await page.waitForSelector(".gallery li");
    if (!(await page.locator(".edit-images").evaluate((e) => e.open))) await hand.click(page.locator(".edit-images summary"));
    await hand.click(page.getByRole("button", { name: "Hold out every fifth" }));
    await hand.wait(page.waitForSelector("text=is in val now"));
    await hand.click(page.getByRole("link", { name: "Train" }).first());
    await page.waitForSelector(".train-page");
    await hand.choose("Time", minutes);
    await hand.click(page.getByRole("button", { name: "Train", exact: true }));
    const done = () => /^done/.test(document.querySelector("#run-facts")?.innerText.trim());
    await hand.wait(page.waitForFunction(done, undefined, { timeout: 60_000 * (10 + 4 * Number(minutes)) }));
    const facts = (await page.locator("#run-facts").innerText()).replace(/\s+/g, " ");

    hand.begin("Segment, measure");
    await hand.click(page.getByRole("button", { name: "Segment all images" }));
    const segmented = async () => (await (await fetch("/api/project")).json()).images.every((image) => image.predicted.length);
    await hand.wait((async () => { while (!(await page.evaluate(segmented))) await pause(200); })());
    await hand.click(page.getByRole("link", { name: "Measure" }).first());
    await hand.wait(page.waitForSelector(".results table"));

    hand.begin("First report");
    await hand.click(page.getByRole("link", { name: "Train" }).first());
    await page.waitForSelector(".run-list, .run-detail, .train-page");
    const make = page.getByRole("button", { name: "Make the report" });
    await pause(500);
    if (!(await make.count())) await hand.click(page.getByRole("link", { name: "model-1" }).first());
    await hand.click(make.first());
    await hand.wait(page.waitForSelector("#report-link", { timeout: 300_000 }));
    const [download] = await Promise.all([page.waitForEvent("download"), hand.click(page.locator("#report-link"))]);
    assert.match(readFileSync(await download.path(), "utf8"), /<html/);
    return { steps: hand.steps, facts };
  } finally {
    await browser.close();
    await server.stop();
  }
}

/** The job is made once, by the supervisor; a lot of twelve images is one command. */
function technician(images) {
  const job = join(work, "carbides.toml");
  const run = join(images.raw, "runs/model-1");
  execFileSync(program, ["job", "new", run, "--out", job, "--fields", "10", "--nm-per-px", images.nm, "--limit", "area fraction at most 40 %"], { cwd: work, stdio: "pipe" });
  const began = Date.now();
  let code = 0;
  try {
    execFileSync(program, ["run", job, images.fresh, "--out", join(work, "heat-12"), "--set", "lot=Heat 12", "--set", "operator=A. Smith"], { cwd: work, stdio: "pipe" });
  } catch (error) {
    // 1: measured, and something is warned of; a short training is.
    code = error.status;
    assert.equal(code, 1, String(error.stderr));
  }
  assert.ok(existsSync(join(work, "heat-12/report.html")));
  const masks = readdirSync(join(work, "heat-12/segmentation/masks")).filter((n) => n.endsWith(".png")).length;
  return { waiting_s: (Date.now() - began) / 1000, code, masks };
}

const images = makeImages();
try {
  const { steps, facts } = await scientist(images);
  console.log(`${images.kind}; training: coffee, ${minutes} minutes; ${facts}\n`);
  console.log("| step | commands | clicks and drags | keys | waiting, s |\n|---|---|---|---|---|");
  const row = ({ name, commands, clicks, keys, waiting_s }) => console.log(`| ${name} | ${commands} | ${clicks} | ${keys} | ${waiting_s.toFixed(1)} |`);
  steps.forEach(row);
  const sum = (key) => steps.reduce((s, step) => s + step[key], 0);
  row({ name: "**Scientist, together**", commands: sum("commands"), clicks: sum("clicks"), keys: sum("keys"), waiting_s: sum("waiting_s") });
  const { waiting_s, code, masks } = technician(images);
  row({ name: `**Technician**: \`sorby run\`, ${masks} images (exit code ${code})`, commands: 1, clicks: 0, keys: 0, waiting_s });
  for (const { name, clicks, keys } of steps) {
    const [mostClicks, mostKeys] = MOST[name];
    assert.ok(clicks <= mostClicks && keys <= mostKeys, `${name}: ${clicks} clicks (at most ${mostClicks}), ${keys} keys (at most ${mostKeys})`);
  }
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
