import { describe, expect, it } from "vitest";
import { addressOf, titleOf } from "./address";
import type { Job } from "./api";
import { foundSomething, stateText } from "./job_words";
import { queuePlaces } from "./jobs";
import { nextTab } from "./tabs";

describe("addresses", () => {
  it("name the view and what it shows", () => {
    expect(addressOf("")).toEqual({ view: "images", item: undefined });
    expect(addressOf("#/image/a%20b/1,2,3,4")).toEqual({ view: "image", item: "a b" });
    expect(addressOf("#/measure")).toEqual({ view: "measure", item: undefined });
    expect(addressOf("#/nonsense").view).toBe("images");
  });

  it("are read even where their code is broken", () => {
    expect(addressOf("#/image/100%")).toEqual({ view: "image", item: "100%" });
  });

  it("have titles that say what is shown", () => {
    const title = (hash: string): string => titleOf(addressOf(hash), "steel");
    expect(title("#/train/m")).toBe("Run m - steel - Sorby");
    expect(title("#/measure/a")).toBe("Threshold of a - steel - Sorby");
    expect(title("#/")).toBe("Images - steel - Sorby");
  });
});

const job = (more: Partial<Job>): Job => ({ id: 1, verb: "train", state: "queued", last: "", ...more }) as Job;

describe("jobs", () => {
  it("a check that finds problems has not failed; one that cannot read the data has", () => {
    const check = job({ verb: "data", state: "failed", last: "pictures: .sorby/check.html" });
    expect(foundSomething(check)).toBe(true);
    expect(stateText(check)).toBe("done: it found problems");
    expect(stateText({ ...check, last: "error: no dataset.toml" })).toBe("failed");
    expect(foundSomething(job({ state: "failed", last: "pictures" }))).toBe(false);
  });

  it("wait for others of their kind only", () => {
    const jobs = [job({ id: 1 }), job({ id: 2, verb: "segment" }), job({ id: 3 }), job({ id: 4, state: "running" })];
    expect([...queuePlaces(jobs)]).toEqual([[1, 1], [3, 2], [2, 1]]);
    expect(stateText(jobs[2], 2)).toBe("waits, number 2 in the queue");
  });
});

describe("tabs", () => {
  it("go round by arrows, and to the ends", () => {
    expect(["ArrowRight", "ArrowLeft", "Home", "End", "a"].map((key) => nextTab(key, 2, 3))).toEqual([0, 1, 0, 2, null]);
  });
});
