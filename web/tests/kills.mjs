// No stroke is lost: the page is reloaded, the server and the browser are killed (SIGKILL) at random moments while strokes
// are drawn on labels and drafts. `node web/tests/kills.mjs SORBY [ROUNDS] [SEED]`: 200 rounds take a quarter of an hour.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { pause, served, started } from "./processes.mjs";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--window-size=1200,900"];
const PORT = 7989;
const BASE = `http://127.0.0.1:${PORT}/`;

/** Random numbers that are the same for the same seed (mulberry32). */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Attack {
  /** What was drawn on each map, "label/NAME" or "strokes/NAME": the state after each finished stroke. */
  drawn = new Map();
  /** Which of these the page has said to be saved, by its index. */
  saved = new Map();
  /** Strokes drawn; rounds in which some were not saved yet when the blow came, and how many. */
  counts = { strokes: 0, caught: 0, unsaved: 0 };
  events = {};

  constructor(program, work, seed) {
    Object.assign(this, { program, work, random: randomFrom(seed) });
    this.root = join(work, "steel");
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  async begin() {
    execFileSync(this.program, ["synth", "--out", this.root, "--images", "4", "--size", "320x240"], { stdio: "pipe" });
    this.names = readdirSync(join(this.root, "images")).map((n) => n.replace(/\.\w+$/, "")).sort();
    rmSync(join(this.root, "labels", `${this.names[3]}.png`));
    writeFileSync(join(this.root, "dataset.toml"), '[[classes]]\nname = "matrix"\n[[classes]]\nname = "carbide"\n[labels]\nmissing = "skip"\n[scale]\nnm_per_px = 40.0\n');
    await this.startServer();
    await this.startBrowser();
    for (const name of this.names) {
      for (const map of [`label/${name}`, `strokes/${name}`]) {
        this.drawn.set(map, [await this.onServer(map)]);
        this.saved.set(map, 0);
      }
    }
    await this.open(this.names[0]);
  }

  async startServer() {
    this.server = served(this.program, this.root, PORT);
    this.address = await this.server.ready;
    if (this.context) await this.context.request.get(this.address);
  }

  async startBrowser() {
    const data = join(this.work, "browser");
    this.chromium = started(CHROMIUM, [...FLAGS, "--remote-debugging-port=0", `--user-data-dir=${data}`, "about:blank"], "stderr", /listening on (ws:\S+)/);
    this.browser = await chromium.connectOverCDP(await this.chromium.ready);
    [this.context] = this.browser.contexts();
    await this.newPage();
  }

  async newPage() {
    await this.context.request.get(this.address);
    const old = this.page;
    // The browser may give a process that was killed just now to the new page.
    for (let i = 0; ; i++) {
      try {
        this.page = await this.context.newPage();
        break;
      } catch (error) {
        if (i === 5) throw error;
        await pause(100);
      }
    }
    this.page.on("dialog", (dialog) => dialog.accept().catch(() => undefined));
    this.page.on("pageerror", (error) => (this.fault = error));
    await Promise.race([old?.close().catch(() => undefined), pause(1000)]);
  }

  /** The bytes of a map as the server reads them from its file, as a sum. */
  async onServer(map) {
    const [kind, name] = map.split("/");
    const path = kind === "label" ? "label" : "sketch";
    const answer = await fetch(`${BASE}api/images/${name}/${path}`, { headers: await this.cookie() });
    const data = Buffer.from(await answer.arrayBuffer());
    assert.ok(answer.ok, `${map}: ${answer.status} ${data.subarray(0, 200)}`);
    return createHash("sha256").update(data.length ? data : Buffer.alloc(320 * 240, 255)).digest("hex");
  }

  /** Of a start of the server. */
  async cookie() {
    if (this.cookieOf !== this.address) {
      const answer = await fetch(this.address, { redirect: "manual" });
      this.header = { cookie: answer.headers.getSetCookie().map((c) => c.split(";")[0]).join("; ") };
      this.cookieOf = this.address;
    }
    return this.header;
  }

  async open(name) {
    await this.page.goto(`${BASE}#/image/${encodeURIComponent(name)}`);
    await this.shown(name);
  }

  async shown(name) {
    await this.page.waitForFunction((n) => window.sorbyEditor?.view.info.name === n && document.querySelector(".image-bar h1")?.textContent === n && window.sorbyEditor.view.transform(), name, { timeout: 20_000 });
    this.name = name;
    this.box = await this.page.locator(".views").boundingBox();
  }

  /** What the page holds of the open image, and whether it says that this is saved; all of one moment. */
  look() {
    return this.page.evaluate(async () => {
      const editor = window.sorbyEditor;
      const text = document.querySelector(".sketch")?.textContent ?? "";
      const state = document.querySelector(".state")?.textContent;
      const copies = [editor.map.data.slice(), editor.draft?.strokes.map.data.slice()];
      const sum = async (data) => [...new Uint8Array(await crypto.subtle.digest("SHA-256", data))].map((b) => b.toString(16).padStart(2, "0")).join("");
      const [label, strokes] = await Promise.all(copies.map((data) => data && sum(data)));
      return { name: editor.view.info.name, label, strokes, labelSaved: ["Saved", "Not labelled"].includes(state), strokesSaved: text.includes("Strokes are saved.") };
    });
  }

  /** Notes what the page holds, and what it says to be saved. */
  async note() {
    const { name, label, strokes, labelSaved, strokesSaved } = await this.look();
    for (const [kind, sum, isSaved] of [["label", label, labelSaved], ["strokes", strokes, strokesSaved]]) {
      if (!sum) continue;
      const map = `${kind}/${name}`;
      const states = this.drawn.get(map);
      if (states.at(-1) !== sum) states.push(sum);
      if (isSaved) this.saved.set(map, states.length - 1);
    }
    return { labelSaved, strokesSaved };
  }

  async setDraft(open) {
    const isOpen = () => this.page.evaluate(() => Boolean(window.sorbyEditor.draft));
    if ((await isOpen()) === open) return;
    await this.page.locator(".views").focus();
    await this.page.keyboard.press("d");
    await this.page.waitForFunction((o) => Boolean(window.sorbyEditor.draft) === o, open);
  }

  at() {
    const { x, y, width, height } = this.box;
    return [x + width * (0.3 + 0.4 * this.random()), y + height * (0.25 + 0.5 * this.random())];
  }

  async stroke({ finish = true } = {}) {
    const { mouse, keyboard } = this.page;
    await this.page.locator(".views").focus();
    await keyboard.press("b");
    await keyboard.press(this.pick(["1", "2", "2", "0"]));
    await mouse.move(...this.at());
    await mouse.down();
    await mouse.move(...this.at(), { steps: 4 });
    if (!finish) return;
    await mouse.up();
    this.counts.strokes++;
    await this.note();
  }

  async undoOrRedo() {
    await this.page.locator(".views").focus();
    for (const key of this.pick([["Control+z"], ["Control+z", "Control+y"], ["Control+z", "Control+z"]])) await this.page.keyboard.press(key);
    await this.note();
  }

  /** Waits until the page says that all is saved, or for a random while: a save begins 600 ms after a stroke. */
  async wait() {
    const kind = this.pick(["saved", "during", "during", "random"]);
    if (kind === "saved") await this.untilSaved();
    else await pause(kind === "during" ? 560 + 130 * this.random() : 900 * this.random());
  }

  async untilSaved() {
    for (let i = 0; i < 250; i++) {
      const said = await this.note();
      if (said.labelSaved && (said.strokesSaved || !(await this.page.evaluate(() => window.sorbyEditor.draft && document.querySelector("#remove-strokes"))))) return;
      await pause(100);
    }
    throw new Error("not saved within 25 s");
  }

  async killServer() {
    await this.server.kill();
    await this.files("after the server was killed");
  }

  async killPage() {
    const session = await this.browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    for (const { id, type } of processInfo) if (type === "renderer") process.kill(id, "SIGKILL");
    await this.newPage();
    await this.open(this.name);
  }

  async killBrowser() {
    await this.chromium.kill();
    this.page = undefined;
    await this.startBrowser();
    await this.open(this.name);
  }

  async back() {
    await this.page.goBack();
    if (this.random() < 0.5) await pause(400 * this.random());
    await this.page.goForward().catch(() => undefined);
    await this.open(this.name);
  }

  async nextImage() {
    const from = this.name;
    const next = this.names[(this.names.indexOf(from) + 1) % this.names.length];
    await this.page.locator(".views").focus();
    await this.page.keyboard.press("n");
    await this.shown(next);
  }

  async reload() {
    await this.page.reload();
    await this.shown(this.name);
  }

  /** Files hold what was said to be saved, or a later state. The server that was killed is started again to read them. */
  async files(when) {
    await this.startServer();
    for (const [map, states] of this.drawn) {
      const found = states.lastIndexOf(await this.onServer(map));
      assert.ok(found >= this.saved.get(map), `${when}: ${map} is at step ${found}, but step ${this.saved.get(map)} was said to be saved`);
    }
  }

  async round(number) {
    await this.setDraft(this.random() < 0.4);
    const many = 1 + Math.floor(3 * this.random());
    for (let i = 0; i < many; i++) {
      await this.stroke();
      if (this.random() < 0.3) await pause(700 * this.random());
      if (this.random() < 0.2) await this.undoOrRedo();
    }
    const tasks = ["reload", "killServer", "killServer", "killPage", "killPage", "killBrowser", "back", "nextImage"];
    const task = this.pick(tasks);
    const before = this.name;
    await this.wait();
    const unfinished = task.startsWith("kill") && this.random() < 0.25;
    if (unfinished) await this.stroke({ finish: false });
    // What is under the pointer and not finished is no stroke yet.
    if (!unfinished) await this.note();
    const steps = [`label/${before}`, `strokes/${before}`].map((map) => this.drawn.get(map).length - 1 - this.saved.get(map));
    this.counts.unsaved += steps[0] + steps[1];
    this.counts.caught += steps[0] + steps[1] > 0;
    this.events[task] = (this.events[task] ?? 0) + 1;
    this.last = `round ${number}: ${task} on ${before}`;
    await this[task]();
    // The server is killed under an open page, which goes on: the line that was not finished is finished now.
    if (unfinished && task === "killServer") {
      await this.page.mouse.up();
      await this.note();
    }
    // Left in the middle of a save, and killed then.
    if (task === "nextImage" && this.random() < 0.5) await this.killPage();
    await this.check(before);
  }

  /** Opens the image again, and compares the page and the server with what was drawn last. */
  async check(name) {
    if (this.name !== name) await this.open(name);
    const expected = { label: this.drawn.get(`label/${name}`).at(-1), strokes: this.drawn.get(`strokes/${name}`).at(-1) };
    await this.setDraft(true);
    const until = Date.now() + 25_000;
    let found;
    do {
      found = await this.look();
      if (found.label === expected.label && found.strokes === expected.strokes && found.labelSaved) {
        const onDisk = [await this.onServer(`label/${name}`), await this.onServer(`strokes/${name}`)];
        if (onDisk[0] === expected.label && onDisk[1] === expected.strokes) {
          await this.note();
          return;
        }
      }
      await pause(100);
    } while (Date.now() < until);
    const step = (kind) => `${kind} at step ${this.drawn.get(`${kind}/${name}`).lastIndexOf(found[kind])} of ${this.drawn.get(`${kind}/${name}`).length - 1}`;
    throw new Error(`strokes are lost: ${step("label")}, ${step("strokes")}`);
  }

  /** All maps once more, read by a server that has just started. */
  async end() {
    await this.server.kill();
    await this.startServer();
    for (const [map, states] of this.drawn) assert.equal(await this.onServer(map), states.at(-1), `${map} at the end`);
  }

  async close() {
    await this.browser?.close().catch(() => undefined);
    await this.chromium?.kill();
    await this.server?.kill();
  }
}

export async function kills({ program, rounds, seed = 1 }) {
  const work = mkdtempSync(join(tmpdir(), "sorby-kills-"));
  const attack = new Attack(program, work, seed);
  try {
    await attack.begin();
    for (let i = 1; i <= rounds; i++) {
      await attack.round(i);
      assert.ok(!attack.fault, `${attack.last}: an error on the page: ${attack.fault}`);
      if (i % 20 === 0) console.log(`  ${i} rounds: ${JSON.stringify(attack.events)}`);
    }
    await attack.end();
  } catch (error) {
    const texts = await attack.page?.locator(".image-bar, .conflict, .sketch, #toasts, #lost, dialog").allInnerTexts().catch(() => []);
    console.error(`seed ${seed}, ${attack.last}; the page says ${JSON.stringify(texts)}`);
    throw error;
  } finally {
    await attack.close();
    rmSync(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
  const { strokes, caught, unsaved } = attack.counts;
  console.log(`  ${rounds} rounds (${JSON.stringify(attack.events)}), ${strokes} strokes, none lost; in ${caught} rounds ${unsaved} steps were not said to be saved yet when it happened`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!CHROMIUM) throw new Error("no browser of the Chromium family is installed");
  await kills({ program: resolve(process.argv[2]), rounds: Number(process.argv[3] ?? 200), seed: Number(process.argv[4] ?? 1) });
}
