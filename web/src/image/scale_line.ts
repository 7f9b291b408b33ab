/** The pixel size of the open image: typed, or from a line that is drawn over the scale bar and its length in nature. */

import { get, imagePath, type ImageInfo } from "../api";
import { button, choice, h, replace, sameOptions } from "../dom";
import { toast } from "../messages";
import { digits } from "../numbers";
import { PixelSizeField, statePixelSize } from "../pixel_size";
import { sizeText } from "../viewer/scale_bar";
import type { Point } from "../viewer/view";
import type { OpenImage } from "./open_image";

/** Nm of each unit of length. */
const LENGTHS: Record<string, number> = { nm: 1, "µm": 1000, mm: 1e6 };

/** Nm per pixel of a line of so many pixels that is so long in nature; null if these are no lengths. */
export function scaleOfLine(length_px: number, typed: string, unit: string): number | null {
  const length_nm = Number(typed.trim().replace(",", ".")) * LENGTHS[unit];
  return length_px > 0 && length_nm > 0 && Number.isFinite(length_nm) ? length_nm / length_px : null;
}

export class ScaleLine {
  /** What is known of the image's size: part of the bar. */
  readonly text = h("span", { class: "quiet", id: "image-size" });
  readonly toggle = button("Pixel size", () => this.open(this.panel.hidden === true), { "aria-expanded": "false", id: "pixel-size" });
  readonly panel = h("div", { class: "scale-panel", hidden: true, role: "group", "aria-label": "Pixel size" });
  /** Lies over the image while a line can be drawn. */
  private glass = h("div", { class: "scale-glass" });
  private line: [Point, Point] | null = null;
  private typed = new PixelSizeField();
  private pixels = h("input", { type: "text", inputmode: "decimal", size: 7, "aria-label": "Length of the line in px" });
  private length = h("input", { type: "text", inputmode: "decimal", size: 7, "aria-label": "Its length in nature" });
  private unit = "µm";
  private outcome = h("output", { class: "quiet" });

  constructor(private image: OpenImage) {
    this.drawText();
    this.glass.addEventListener("pointerdown", (event) => this.begin(event));
    this.glass.addEventListener("pointermove", (event) => this.move(event));
    for (const input of [this.pixels, this.length]) input.addEventListener("input", () => this.tell());
    image.view.marks.push((context, at) => {
      if (!this.line || this.panel.hidden) return;
      const [a, b] = this.line.map((p) => ({ x: at.x + p.x * at.zoom, y: at.y + p.y * at.zoom }));
      for (const [colour, width_px] of [["#000000", 5], ["#f0e442", 2]] as const) {
        context.strokeStyle = colour;
        context.lineWidth = width_px;
        context.beginPath();
        context.moveTo(a.x, a.y);
        context.lineTo(b.x, b.y);
        context.stroke();
      }
    });
    this.fill();
  }

  private fill(): void {
    const set = (nm: () => number | null, all: boolean) => (): void => void this.state(nm(), all);
    const ways = (nm: () => number | null): HTMLElement[] => [
      button("Set for this image", set(nm, false)),
      button("Set for all images", set(nm, true)),
    ];
    replace(
      this.panel,
      h("p", {}, "Draw a line over the scale bar and type how long it is:"),
      h("label", {}, this.pixels, " px"),
      h("label", {}, "= ", this.length),
      choice("Unit", sameOptions(Object.keys(LENGTHS)), this.unit, (unit) => {
        this.unit = unit;
        this.tell();
      }),
      this.outcome,
      ...ways(() => this.ofLine()),
      h("p", {}, "Or type the size of a pixel:"),
      this.typed.element,
      ...ways(() => this.typed.nmPerPx),
      button("Close", () => this.open(false)),
    );
  }

  private open(on: boolean): void {
    this.panel.hidden = !on;
    this.toggle.setAttribute("aria-expanded", String(on));
    if (on) this.image.view.element.append(this.glass);
    else this.glass.remove();
    if (!on) this.toggle.focus();
    this.image.view.draw();
  }

  private begin(event: PointerEvent): void {
    event.stopPropagation();
    this.glass.setPointerCapture(event.pointerId);
    const at = this.image.view.pixel(event);
    this.line = [at, at];
  }

  private move(event: PointerEvent): void {
    if (!this.line || !this.glass.hasPointerCapture(event.pointerId)) return;
    const [from] = this.line;
    const to = this.image.view.pixel(event);
    this.line = [from, to];
    this.pixels.value = digits(Math.hypot(to.x - from.x, to.y - from.y), 4);
    this.tell();
    this.image.view.draw();
  }

  private ofLine(): number | null {
    return scaleOfLine(Number(this.pixels.value.replace(",", ".")), this.length.value, this.unit);
  }

  private tell(): void {
    const nm = this.ofLine();
    this.outcome.textContent = nm === null ? "" : `${digits(nm, 5)} nm/px`;
  }

  private async state(nm: number | null, all: boolean): Promise<void> {
    if (nm === null) return toast("The lengths must be numbers above 0", true);
    if (!(await statePixelSize(nm, all ? undefined : [this.image.name]))) return;
    // The scale bar, the measurements and the bar of the page follow.
    const now = await get<ImageInfo>(imagePath(this.image.name));
    Object.assign(this.image.info, now);
    this.drawText();
    this.open(false);
  }

  private drawText(): void {
    const { info } = this.image;
    const source = h("span", { class: "source" }, ` (from ${info.scale_source})`);
    replace(this.text, sizeText(info), info.scale_source !== null && source);
    this.text.title = info.scale_source ?? "";
  }
}
