// As much of WebDriver BiDi (w3.org/TR/webdriver-bidi) as the test in Firefox needs, over a WebSocket.

import WebSocket from "ws";
import { until } from "./processes.mjs";

const KEYS = { Enter: "\uE007", Tab: "\uE004", Control: "\uE009" };

/** The first window of a browser that listens at `address`. `fault` is called with each error of a script. */
export async function window(address, fault) {
  const socket = new WebSocket(`${address}/session`);
  const waiting = new Map();
  let number = 0;
  await new Promise((done, fail) => socket.once("open", done).once("error", fail));
  const send = (method, params) =>
    new Promise((done, fail) => {
      const late = setTimeout(() => fail(new Error(`${method} is not answered`)), 60_000);
      waiting.set(++number, { done: (result) => (clearTimeout(late), done(result)), fail: (why) => (clearTimeout(late), fail(new Error(`${method}: ${why}`))) });
      socket.send(JSON.stringify({ id: number, method, params }));
    });
  socket.on("message", (data) => {
    const { id, type, result, error, message, method, params } = JSON.parse(data);
    if (type === "event" && method === "log.entryAdded" && params.type === "javascript" && params.level === "error") fault(params.text);
    // The page asks whether it may be left.
    if (method === "browsingContext.userPromptOpened") void send("browsingContext.handleUserPrompt", { context: params.context, accept: true }).catch(fault);
    const asked = waiting.get(id);
    waiting.delete(id);
    if (type === "success") asked.done(result);
    else if (type === "error") asked?.fail(`${error}: ${message}`);
  });
  await send("session.new", { capabilities: { alwaysMatch: { unhandledPromptBehavior: { default: "ignore" } } } });
  await send("session.subscribe", { events: ["log.entryAdded", "browsingContext.userPromptOpened"] });
  const { contexts } = await send("browsingContext.getTree", {});
  return new Window(send, contexts[0].context, () => socket.close());
}

class Window {
  constructor(send, context, close) {
    Object.assign(this, { send, context, close });
  }

  size(width, height) {
    return this.send("browsingContext.setViewport", { context: this.context, viewport: { width, height } });
  }

  goto(url) {
    return this.send("browsingContext.navigate", { context: this.context, url, wait: "complete" });
  }

  reload() {
    return this.send("browsingContext.reload", { context: this.context, wait: "complete" });
  }

  /** Calls a function in the page; what it takes and gives is plain data. */
  async call(what, ...args) {
    const text = `async (text) => JSON.stringify((await (${what})(...JSON.parse(text))) ?? null)`;
    const { result, exceptionDetails } = await this.send("script.callFunction", {
      functionDeclaration: text,
      arguments: [{ type: "string", value: JSON.stringify(args) }],
      awaitPromise: true,
      target: { context: this.context },
    });
    if (exceptionDetails) throw new Error(exceptionDetails.text);
    return JSON.parse(result.value);
  }

  /** Waits until there is an element with this text in it that can be seen and used. */
  find(selector, text = "", limit_s = 30) {
    const look = (selector, text) => {
      const found = [...document.querySelectorAll(selector)].find((e) => e.textContent.includes(text) && !e.disabled && e.getClientRects().length);
      if (!found) return null;
      found.scrollIntoView({ block: "center" });
      const { x, y, width, height } = found.getBoundingClientRect();
      return { x, y, width, height };
    };
    return until(`${selector} ${text}`, () => this.call(look, selector, text), limit_s);
  }

  text(selector) {
    return this.call((s) => document.querySelector(s)?.innerText, selector);
  }

  async click(selector, text, limit_s) {
    const { x, y, width, height } = await this.find(selector, text, limit_s);
    await this.drag([x + width / 2, y + height / 2]);
  }

  /** Presses the button of the mouse at the first place, and lifts it at the last. */
  drag(...places) {
    const move = ([x, y], duration) => ({ type: "pointerMove", x: Math.round(x), y: Math.round(y), duration });
    const [first, ...rest] = places;
    const actions = [move(first, 0), { type: "pointerDown", button: 0 }, ...rest.map((at) => move(at, 80)), { type: "pointerUp", button: 0 }];
    return this.act({ type: "pointer", id: "mouse", actions });
  }

  wheel([x, y], deltaY) {
    const scroll = { type: "scroll", x: Math.round(x), y: Math.round(y), deltaX: 0, deltaY };
    return this.act({ type: "wheel", id: "wheel", actions: [scroll] });
  }

  /** "Control+z": all but the last are held meanwhile. */
  press(keys) {
    const parts = keys.split("+").map((key) => KEYS[key] ?? key);
    const downs = parts.map((value) => ({ type: "keyDown", value }));
    return this.act({ type: "key", id: "keys", actions: [...downs, ...parts.reverse().map((value) => ({ type: "keyUp", value }))] });
  }

  act(source) {
    return this.send("input.performActions", { context: this.context, actions: [source] });
  }

  /** Chooses from a drop-down list by its label. */
  choose(label, value) {
    const pick = (label, value) => {
      const list = [...document.querySelectorAll("label")].find((e) => e.textContent === label).control;
      list.value = value;
      list.dispatchEvent(new Event("change", { bubbles: true }));
      return list.value === value;
    };
    return this.call(pick, label, value);
  }
}
