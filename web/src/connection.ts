/** A line below the bar while the server does not answer. */

import { h, replace } from "./dom";
import { toast } from "./messages";
import { listen } from "./server_events";

const WORDS = {
  silent:
    "Sorby does not answer. Is `sorby serve` still running? What you draw is kept in this window until it answers again; " +
    "do not close the window.",
  token:
    "Sorby was started again. Open the address that it printed in another tab of this browser: then this window goes on, " +
    "with all that you drew.",
};

/** `back` is called when the server answers again. */
export function connectionBanner(back: () => void): HTMLElement {
  const banner = h("div", { id: "lost", role: "alert", hidden: true });
  listen((event) => {
    if (event.kind === "lost") replace(banner, WORDS[event.why]);
    if (event.kind === "lost" || event.kind === "back") banner.hidden = event.kind === "back";
    if (event.kind !== "back") return;
    toast("Sorby answers again");
    back();
  });
  return banner;
}
