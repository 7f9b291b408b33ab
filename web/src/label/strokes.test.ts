import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Refused } from "../api";
import { MaskLayer, type Box } from "../viewer/mask";
import { draftPart, DRAFT_PX, isFar, isOutside } from "./draft_part";
import { EditedLabel } from "./edited_label";
import { line } from "./paint";
import { percentOf } from "./smart_fill";
import { StrokeQueue } from "./stroke_queue";

const box = (left: number, top: number, right: number, bottom: number): Box => ({ left, top, right, bottom });

describe("an edited map", () => {
  const edited = (byHand = false): { label: EditedLabel; said: string[] } => {
    const map = { data: new Uint8Array(100).fill(255), width: 10, height: 10 };
    const said: string[] = [];
    const layer = new MaskLayer(10, 10, map.data, new Uint8ClampedArray(1024));
    return { label: new EditedLabel(map, layer, (_, by) => said.push(by), byHand), said };
  };
  const whole = { x: 0, y: 0, width: 10, height: 10 };
  const stroke = (label: EditedLabel): void => label.commit(line(label.map, { x: 3, y: 3 }, { x: 6, y: 3 }, 1, 1));

  it("work by hand is known as such through draft, undo and redo", () => {
    const { label, said } = edited();
    expect(label.drawnByHand).toBe(false);
    stroke(label);
    expect(label.drawnByHand).toBe(true);
    label.take(new Uint8Array(100), whole, { by: "draft", hand: false });
    expect(label.drawnByHand).toBe(false);
    stroke(label);
    expect(label.drawnByHand).toBe(true);
    label.undo();
    expect(label.drawnByHand).toBe(false);
    label.undo();
    expect(label.drawnByHand).toBe(true);
    label.redo();
    expect(said).toEqual(["strokes", "draft", "strokes", "strokes", "strokes", "draft"]);
  });

  it("a draft of a part leaves the rest as it was: drawn by hand", () => {
    const { label } = edited(true);
    label.take(new Uint8Array(4), { x: 2, y: 2, width: 2, height: 2 }, { by: "draft", hand: null });
    expect(label.drawnByHand).toBe(true);
  });

  it("a cancelled line leaves no pixel and no step", () => {
    const { label, said } = edited();
    stroke(label);
    const before = label.map.data.slice();
    label.cancel(line(label.map, { x: 0, y: 8 }, { x: 9, y: 8 }, 2, 0));
    expect(label.map.data).toEqual(before);
    expect(label.history.depth).toBe(1);
    expect(said).toEqual(["strokes"]);
  });
});

describe("the part that is drafted", () => {
  it("is the whole image up to 16 megapixels", () => {
    expect(draftPart(box(5, 5, 9, 9), 4000, 4000)).toEqual({ x: 0, y: 0, width: 4000, height: 4000 });
  });

  it("lies about the middle of what is seen, inside of the image, and never above the limit", () => {
    const part = draftPart(box(0, 0, 10_000, 8000), 10_000, 8000);
    expect(part.width * part.height).toBeLessThanOrEqual(DRAFT_PX);
    expect(part.width * part.height).toBeGreaterThan(0.99 * DRAFT_PX);
    expect(Math.abs(part.x + part.width / 2 - 5000)).toBeLessThan(2);
    expect(Math.abs(part.y + part.height / 2 - 4000)).toBeLessThan(2);
    expect(draftPart(box(9500, 7500, 10_000, 8000), 10_000, 8000)).toEqual({ x: 8000, y: 6000, width: 2000, height: 2000 });
    expect(draftPart(box(3000, 3000, 5500, 4000), 10_000, 8000)).toEqual({ x: 3000, y: 2500, width: 2500, height: 2000 });
    const strip = draftPart(box(0, 0, 60_000, 500), 60_000, 500);
    expect(strip).toEqual({ x: 14_000, y: 0, width: 32_000, height: 500 });
  });

  it("is far when the middle of the view has left it; a stroke is outside when no pixel of it is inside", () => {
    const part = { x: 1000, y: 1000, width: 2000, height: 2000 };
    expect(isFar(part, box(1500, 1500, 2500, 2500))).toBe(false);
    expect(isFar(part, box(2900, 1500, 3300, 2500))).toBe(true);
    expect(isOutside(part, box(10, 10, 1000, 1200))).toBe(true);
    expect(isOutside(part, box(10, 10, 1001, 1200))).toBe(false);
  });
});

it("smart fill: share of the image", () => {
  expect(percentOf([[0, 0, 10], [1, 5, 10]], 10, 10)).toBe(15);
});

describe("strokes on their way to the server", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("are sent once after several strokes", async () => {
    const sent: number[] = [];
    const queue = new StrokeQueue(async (_, data) => void sent.push(data[0]));
    const data = new Uint8Array(1);
    for (let i = 1; i <= 3; i++) {
      data[0] = i;
      queue.changed("a", () => data);
    }
    expect(queue.state("a")).toBe("waiting");
    await vi.advanceTimersByTimeAsync(700);
    expect(sent).toEqual([3]);
    expect(queue.empty).toBe(true);
  });

  it("are kept and sent again while the server does not answer", async () => {
    let down = true;
    const sent: number[] = [];
    const queue = new StrokeQueue(async (_, data) => {
      if (down) throw new Refused(0, "no answer");
      sent.push(data[0]);
    });
    queue.changed("a", () => new Uint8Array([7]));
    await vi.advanceTimersByTimeAsync(700);
    expect(queue.state("a")).toBe("no answer");
    expect(queue.unsaved("a")).toEqual(new Uint8Array([7]));
    await vi.advanceTimersByTimeAsync(20_000);
    down = false;
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent).toEqual([7]);
    expect(queue.state("a")).toBe("saved");
  });

  it("a stroke that comes while others are sent is sent after them", async () => {
    const sent: number[] = [];
    const data = new Uint8Array([1]);
    const queue = new StrokeQueue(async (_, copy) => {
      await new Promise((done) => setTimeout(done, 1000));
      sent.push(copy[0]);
    });
    queue.changed("a", () => data);
    await vi.advanceTimersByTimeAsync(800);
    data[0] = 2;
    queue.changed("a", () => data);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toEqual([1, 2]);
    expect(queue.empty).toBe(true);
  });

  it("what is refused is kept, and not sent again unasked", async () => {
    let asked = 0;
    const queue = new StrokeQueue(async () => {
      asked++;
      throw new Refused(403, "read-only");
    });
    queue.changed("a", () => new Uint8Array(1));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(1);
    expect(queue.state("a")).toBe("read-only");
    expect(queue.unsaved("a")).toHaveLength(1);
  });
});
