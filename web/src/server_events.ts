/** What the server tells without being asked. */

import type { Job } from "./api";

export type ServerEvent =
  | { kind: "project" }
  | { kind: "label"; name: string; revision: string }
  | { kind: "run"; name: string; validated: boolean }
  | { kind: "job"; job: Job };

const listeners = new Set<(event: ServerEvent) => void>();

/** Calls `listener` with each event, until the returned function is called. */
export function listen(listener: (event: ServerEvent) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Opens the connection that events come by, and opens it again when it is lost. */
export function connect(): void {
  const source = new EventSource("/api/events");
  source.onmessage = (message) => {
    const event = JSON.parse(message.data as string) as ServerEvent;
    for (const listener of listeners) listener(event);
  };
  source.onerror = () => {
    // Browsers try again by themselves when nobody answers, but not after a refusal.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
  };
}
