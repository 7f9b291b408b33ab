// The main path in Firefox: `node web/tests/firefox.mjs SORBY [SHOTS]`. browser.mjs tests all of it, in Chromium.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { window as firefoxWindow } from "./bidi.mjs";
import { pause, served, started, until } from "./processes.mjs";

const sorby = resolve(process.argv[2]);
const shots = process.argv[3];
const program = ["/usr/bin/firefox-esr", "/usr/bin/firefox"].find(existsSync);
if (!program) {
  console.log("not tested: Firefox is not installed");
  // What CI does not test, nobody does.
  process.exit(process.env.CI ? 1 : 0);
}

const PORT = 7988;
const DATA = '[[classes]]\nname = "matrix"\n[[classes]]\nname = "carbide"\n[labels]\nmissing = "skip"\n[scale]\nnm_per_px = 40.0\n';
const TINY = 'augment = "weak"\n[schedule]\niterations = 8\nvalidate_every = 4\n[data]\nbatch = 2\ncrop = 64\n[inference]\nwindow = 128\nstride = 128\n';

// What Firefox says of connections that end when a page is left, and of the picture that it asks for a tab.
const ABOUT_CONNECTIONS = /^(The connection to|Firefox can’t establish|The resource at)/;
const work = mkdtempSync(join(tmpdir(), "sorby-firefox-"));
const root = join(work, "steel");
const faults = [];
const step = (text) => console.log(`- ${text}`);

/** Six images: the last two have no label. */
function makeProject() {
  execFileSync(sorby, ["synth", "--out", root, "--images", "6", "--size", "320x240"], { stdio: "pipe" });
  const names = readdirSync(join(root, "images")).map((n) => n.replace(/\.\w+$/, "")).sort();
  const list = (part) => JSON.stringify(part);
  writeFileSync(join(root, "dataset.toml"), `${DATA}[splits]\ntrain = ${list(names.slice(1))}\nval = ${list(names.slice(0, 1))}\n`);
  for (const name of names.slice(4)) rmSync(join(root, "labels", `${name}.png`));
  mkdirSync(join(root, "recipes"));
  writeFileSync(join(root, "recipes/tiny.toml"), TINY);
  return names;
}

/** The label of an image as the server has it: how many pixels have each value. */
const label = (page, name) =>
  page.call(async (name) => {
    const bytes = new Uint8Array(await (await fetch(`/api/images/${name}/label`, { cache: "no-store" })).arrayBuffer());
    const counts = {};
    for (const value of bytes) counts[value] = (counts[value] ?? 0) + 1;
    return counts;
  }, name);

const saved = (page) => until("the label is saved", () => page.call(() => document.querySelector(".state")?.textContent === "Saved"));

/** Opens an image; gives the place for shares of width and height of its view. */
async function openImage(page, name) {
  await page.call((hash) => void (location.hash = hash), `#/image/${name}`);
  await until(`${name} is shown`, () => page.call((n) => window.sorbyEditor?.view.info.name === n && document.querySelector(".image-bar h1")?.textContent === n && Boolean(window.sorbyEditor.view.transform()), name));
  await pause(500);
  const box = await page.find(".views");
  return (x, y) => [box.x + box.width * x, box.y + box.height * y];
}

async function look(page, names) {
  step("the printed address opens the gallery; an image is shown and zoomed");
  await page.find(".gallery li");
  await until("all pictures of the gallery", () => page.call((n) => [...document.querySelectorAll(".gallery img")].filter((i) => i.naturalWidth > 100).length === n, names.length));
  await page.click(".gallery a");
  await page.find(".image-page");
  const at = await openImage(page, names[0]);
  const zoom = () => page.call(() => window.sorbyEditor.view.transform().zoom);
  const before = await zoom();
  await page.wheel(at(0.5, 0.5), -240);
  await until("the wheel zooms", async () => (await zoom()) > 1.2 * before);
}

async function draw(page, names) {
  step("a stroke is saved, taken back, drawn again, and there after a reload");
  const at = await openImage(page, names[1]);
  const before = await label(page, names[1]);
  await page.press("b");
  await page.press("1");
  await page.press("]");
  await page.drag(at(0.35, 0.3), at(0.5, 0.5), at(0.6, 0.6));
  await saved(page);
  const painted = await label(page, names[1]);
  assert.notDeepEqual(painted, before);
  await page.press("Control+z");
  await pause(100);
  await saved(page);
  assert.deepEqual(await label(page, names[1]), before);
  await page.press("Control+y");
  await pause(100);
  await saved(page);
  await page.reload();
  await openImage(page, names[1]);
  assert.deepEqual(await label(page, names[1]), painted);
}

async function draft(page, names) {
  step("a draft from three strokes becomes the label; strokes that no save has are back after a reload");
  const at = await openImage(page, names[5]);
  await page.press("d");
  await page.find("#use-draft, .sketch");
  await page.press("[");
  await page.press("1");
  await page.drag(at(0.3, 0.9), at(0.45, 0.85));
  await page.press("2");
  const place = await carbide(page, names[5]);
  await page.drag(place, [place[0] + 6, place[1]]);
  await page.find("#use-draft");
  await page.drag(at(0.6, 0.2), at(0.61, 0.2));
  const strokes = () => page.call(() => window.sorbyEditor.draft?.strokes.map.data.reduce((n, v) => n + (v !== 255), 0));
  const drawn = await strokes();
  await page.reload();
  await openImage(page, names[5]);
  await page.press("d");
  await until("the strokes are back", async () => (await strokes()) === drawn);
  await page.click("#use-draft");
  await saved(page);
  const counts = await label(page, names[5]);
  assert.ok(!counts[255] && counts[0] > 0 && counts[1] > 0, `every pixel has a class: ${JSON.stringify(counts)}`);
}

/** A bright place of the image, on the screen. */
const carbide = (page, name) =>
  page.call(async (name) => {
    const grey = window.sorbyEditor.grey;
    await grey.load();
    const { view, map } = window.sorbyEditor;
    const { zoom, x, y } = view.transform();
    const box = view.canvas.getBoundingClientRect();
    let [best, level] = [0, -1];
    for (let i = 0; i < grey.data.length; i += 7) {
      const [px, py] = [i % map.width, Math.floor(i / map.width)];
      if (px > 60 && px < map.width - 60 && py > 60 && py < map.height - 60 && grey.data[i] > level) [best, level] = [i, grey.data[i]];
    }
    return [box.left + x + (best % map.width) * zoom, box.top + y + Math.floor(best / map.width) * zoom];
  }, name);

async function train(page) {
  step("a training is started and ends; all images are segmented");
  await page.call(() => void (location.hash = "#/train"));
  await page.find("button", "Train");
  assert.ok(await page.choose("Recipe", "recipes/tiny.toml"));
  assert.ok(await page.choose("Time", ""));
  await page.click(".train-page form button, .train-page button.primary", "Train");
  await until("trained", async () => /^\s*done/.test((await page.text("#run-facts")) ?? ""), 120);
  await page.click("button", "Segment all images");
  const done = () => page.call(async () => (await (await fetch("/api/project")).json()).images.every((image) => image.predicted.length));
  await until("segmented", done, 60);
}

async function accept(page, names) {
  step("a prediction becomes the label");
  await openImage(page, names[4]);
  await page.click("#accept");
  await saved(page);
  assert.ok(!(await label(page, names[4]))[255], "every pixel has a class");
}

async function measure(page) {
  step("objects are measured");
  await page.call(() => void (location.hash = "#/measure"));
  await page.find(".results table");
  assert.match(await page.text(".results"), /area fraction, %/);
}

async function report(page) {
  step("the report is made and opened");
  await page.call(() => void (location.hash = "#/train/model-1"));
  await page.click("button", "Make the report");
  await page.find("#report-link", "", 120);
  const address = await page.call(() => document.querySelector("#report-link").href);
  await page.goto(address);
  const [title, headings, pictures] = await page.call(() => [document.title, document.querySelectorAll("h2").length, document.querySelectorAll("svg, img").length]);
  assert.ok(title.length > 3 && headings > 2 && pictures > 0, `${title}, ${headings} headings, ${pictures} pictures`);
}

const names = makeProject();
const server = served(sorby, root, PORT);
const profile = join(work, "profile");
mkdirSync(profile);
const firefox = started(program, ["--headless", "--remote-debugging-port", "0", "--profile", profile, "--no-remote"], "stderr", /WebDriver BiDi listening on (ws:\S+)/);
let page;
try {
  page = await firefoxWindow(await firefox.ready, (text) => ABOUT_CONNECTIONS.test(text) || faults.push(text));
  await page.size(1440, 900);
  await page.goto(await server.ready);
  await look(page, names);
  await draw(page, names);
  await draft(page, names);
  await train(page);
  await accept(page, names);
  await measure(page);
  await report(page);
  assert.deepEqual(faults, [], "no error of a script");
} catch (error) {
  console.error(await page?.text("main").catch(() => ""));
  if (shots) {
    const { data } = await page.send("browsingContext.captureScreenshot", { context: page.context });
    writeFileSync(join(shots, "firefox-failure.png"), Buffer.from(data, "base64"));
  }
  throw error;
} finally {
  page?.close();
  await firefox.kill();
  await server.stop();
  rmSync(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
console.log("Firefox finds everything in order");
