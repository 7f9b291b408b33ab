/** Where the focus of the keyboard is, and where it goes when what had it is made anew. */

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";

/** What a control stands for: its id where somebody gave it one, else its kind and its name. */
function meaning(control: Element): string {
  const given = control.id && !control.id.startsWith("choice-");
  if (given) return `#${control.id}`;
  const label = (control as HTMLInputElement).labels?.[0]?.textContent;
  return `${control.tagName} ${control.getAttribute("aria-label") ?? label ?? control.textContent}`;
}

/** To be called before the content of `element` is made anew; the function it gives, after that. */
export function keepFocus(element: Element): () => void {
  const held = document.activeElement;
  if (!held || held === element || !element.contains(held)) return () => undefined;
  const same = meaning(held);
  const place = [...element.querySelectorAll(FOCUSABLE)].indexOf(held);
  return () => {
    const controls = [...element.querySelectorAll<HTMLElement>(FOCUSABLE)].filter((c) => !c.matches(":disabled"));
    if (element.contains(document.activeElement)) return;
    const next = controls.find((c) => meaning(c) === same) ?? controls[Math.min(place, controls.length - 1)];
    next?.focus({ preventScroll: true });
  };
}

/** The heading of a view that was just opened gets the focus: readers of screens begin there, and Tab goes on from it. */
export function focusHeading(view: Element): void {
  const heading = view.querySelector<HTMLElement>("h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
