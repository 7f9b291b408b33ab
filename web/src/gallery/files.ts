/** Files that are added: images, and the sidecars that microscopes write next to them. */

const IMAGE = /\.(png|tiff?|jpe?g|bmp)$/i;
const SIDECAR = /\.(txt|hdr)$/i;

/** What a choice of files offers. */
export const ACCEPTED = ".png,.tif,.tiff,.jpg,.jpeg,.bmp,.txt,.hdr";


/** Tescan writes `steel-tif.hdr` for `steel.tif`. */
const DASHED = /-(png|tiff?|jpe?g|bmp)$/i;

const stem = (name: string): string => {
  const own = name.replace(SIDECAR, "");
  return own === name ? own.replace(IMAGE, "") : own.replace(DASHED, "").replace(IMAGE, "");
};

/** What is sent, sidecars before the images that they are of, so that their pixel sizes are known from the first look on;
 *  and what is left: neither an image nor the sidecar of one that is added or `known`. */
export function sortFiles(files: File[], known: string[]): { send: File[]; left: File[] } {
  const images = files.filter((file) => IMAGE.test(file.name));
  const stems = new Set([...known, ...images.map((file) => stem(file.name))]);
  const sidecars = files.filter((file) => SIDECAR.test(file.name) && stems.has(stem(file.name)));
  const send = [...sidecars, ...images];
  return { send, left: files.filter((file) => !send.includes(file)) };
}

/** Files that are dropped on an element are given to `send`; it shows that it would take them. */
export function takeDrops(place: HTMLElement, send: (files: File[]) => void): void {
  const over = (on: boolean) => (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    place.classList.toggle("drop", on);
  };
  place.addEventListener("dragover", over(true));
  place.addEventListener("dragleave", over(false));
  place.addEventListener("drop", (event) => {
    over(false)(event);
    send([...(event.dataTransfer?.files ?? [])]);
  });
}
