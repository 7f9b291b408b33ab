/** What the server reports without being asked, and whether it is there. */

import type { Job } from "./api";

export type ServerEvent =
  | { kind: "project" }
  | { kind: "label"; name: string; revision: string }
  | { kind: "run"; name: string; validated: boolean }
  | { kind: "job"; job: Job }
  /** Reported by the page itself: the server does not answer, or answers with another token than ours. */
  | { kind: "lost"; why: "silent" | "token" }
  | { kind: "back" };

/** From one look for the server to the next. */
const AGAIN_MS = 2000;

const listeners = new Set<(event: ServerEvent) => void>();
let lost: "silent" | "token" | null = null;
/** Some browsers end the connection with an error when the page is left. */
let leaving = false;

/** Calls `listener` with each event, until the returned function is called. */
export function listen(listener: (event: ServerEvent) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(event: ServerEvent): void {
  for (const listener of [...listeners]) listener(event);
}

/** Opens the connection that events come by, and opens it again when it is lost. */
export function connect(again = false): void {
  const source = new EventSource("/api/events");
  source.onopen = () => {
    if (lost) tell({ kind: "back" });
    lost = null;
    // What happened meanwhile was not heard.
    if (again) tell({ kind: "project" });
  };
  window.onpagehide = () => (leaving = true);
  window.onpageshow = () => (leaving = false);
  source.onmessage = (message) => tell(JSON.parse(message.data as string) as ServerEvent);
  source.onerror = () => {
    source.close();
    if (!leaving) void lookForServer();
    setTimeout(() => connect(true), AGAIN_MS);
  };
}

/** The connection of events has ended: is the server gone, or the connection only? */
async function lookForServer(): Promise<void> {
  let why: typeof lost = null;
  try {
    const { status } = await fetch("/api/jobs");
    if (status === 401 || status === 403) why = "token";
  } catch {
    why = "silent";
  }
  if (!why || why === lost) return;
  lost = why;
  tell({ kind: "lost", why });
}
