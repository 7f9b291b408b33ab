// Answers in place of a program that keeps no strokes and no versions of labels yet.

import { gunzipSync } from "node:zlib";

/** Stands in for the addresses of strokes and versions while the program does not have them. */
export async function standIn(page, base) {
  const asked = await page.request.get(`${base}api/project`);
  const { images } = await asked.json();
  const there = await page.request.get(`${base}api/images/${images[0].name}/versions`);
  if (there.ok()) return;
  console.log("  (the program knows no strokes and no versions yet: a stand-in answers)");
  const strokes = new Map();
  const versions = new Map();
  const nameOf = (request) => new URL(request.url()).pathname.split("/")[3];
  await page.context().route("**/api/images/*/sketch", async (route) => {
    const request = route.request();
    const name = nameOf(request);
    if (request.method() === "GET") {
      const known = strokes.get(name);
      return known ? route.fulfill({ body: known, contentType: "application/octet-stream" }) : route.fulfill({ status: 204 });
    }
    const body = gunzipSync(request.postDataBuffer());
    if (body.every((v) => v === 255)) strokes.delete(name);
    else strokes.set(name, body);
    return route.fulfill({ json: {} });
  });
  await page.context().route("**/api/images/*/label?by=*", async (route) => {
    const request = route.request();
    const name = nameOf(request);
    const by = new URL(request.url()).searchParams.get("by");
    const before = await page.request.get(`${base}api/images/${name}/label`);
    const body = await before.body();
    const kept = versions.get(name) ?? [];
    if (by !== "strokes" && !body.every((v) => v === 255)) kept.unshift({ id: String(kept.length + 1), body });
    versions.set(name, kept);
    return route.continue();
  });
  await page.context().route(/\/versions(\/\d+)?$/, (route) => {
    const [, , , name, , id] = new URL(route.request().url()).pathname.split("/");
    const kept = versions.get(name) ?? [];
    if (id) return route.fulfill({ body: kept.find((v) => v.id === id).body, contentType: "application/octet-stream" });
    const row = ({ id }) => ({ id, time_s: 1764240000, by: "unknown", drawn_by_hand: true, labelled_percent: 100 });
    return route.fulfill({ json: { versions: kept.map(row) } });
  });
}
