/** What the frame shows below its bar, one at a time. */
export interface Page {
  element: HTMLElement;
  /** What to do when it lies on the page. */
  shown?: () => void;
  /** What to do when another page is opened. */
  leave?: () => void;
}
