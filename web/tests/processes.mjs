// Programs that a test starts, and waits for until they say a line.

import { spawn } from "node:child_process";

/** Starts a program. `ready` gives what `line` finds in what it prints; `kill` and `stop` end it, and wait until it has. */
export function started(program, args, stream, line) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const ready = new Promise((done, fail) => {
    child[stream].on("data", (data) => {
      said += data;
      const found = line.exec(said);
      if (found) done(found[1]);
    });
    child.on("error", fail);
    child.on("exit", () => fail(new Error(`${program} ended: ${said}`)));
  });
  ready.catch(() => undefined);
  // What nobody reads fills the pipe, and the program stands still.
  child[stream === "stdout" ? "stderr" : "stdout"].resume();
  const ended = new Promise((done) => child.once("exit", done));
  const end = (signal) => (child.kill(signal), ended);
  return { child, ready, kill: () => end("SIGKILL"), stop: () => end("SIGINT") };
}

/** The server of a project; `ready` gives the address that it prints. */
export const served = (program, root, port) =>
  started(program, ["serve", root, "--no-open", "--port", String(port)], "stdout", /(http\S+)/);

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks until the answer is true, and gives it. */
export async function until(what, ask, limit_s = 30) {
  const end = Date.now() + 1000 * limit_s;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`not within ${limit_s} s: ${what}`);
    await pause(100);
  }
}
