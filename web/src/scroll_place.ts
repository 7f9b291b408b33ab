/** How far a list was scrolled when it was left, by the entry at its top: on the way back it is shown from there. */

interface Place {
  entry: string;
  /** From the top of what scrolls to the top of the entry. */
  offset_px: number;
}

const places = new Map<string, Place>();

const entriesOf = (list: Element): HTMLElement[] => [...list.querySelectorAll<HTMLElement>(":scope > [data-entry]")];

export function keepPlace(key: string, list: Element, scrolled: Element): void {
  const top = scrolled.getBoundingClientRect().top;
  const first = entriesOf(list).find((entry) => entry.getBoundingClientRect().bottom > top);
  if (!first || scrolled.scrollTop === 0) places.delete(key);
  else places.set(key, { entry: first.dataset.entry!, offset_px: first.getBoundingClientRect().top - top });
}

export function showPlace(key: string, list: Element, scrolled: Element): void {
  const place = places.get(key);
  const entry = entriesOf(list).find((e) => e.dataset.entry === place?.entry);
  if (!place || !entry) return;
  const move = (): void => {
    const offset = entry.getBoundingClientRect().top - scrolled.getBoundingClientRect().top;
    scrolled.scrollTop += offset - place.offset_px;
  };
  move();
  // Entries that come into sight get their true heights at the next frame, which moves those below them.
  requestAnimationFrame(() => {
    move();
    requestAnimationFrame(move);
  });
}
