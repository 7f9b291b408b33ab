/** Questions to the server, and the form of its answers. */

export interface ClassInfo {
  name: string;
  color: string;
}

export interface ImageCard {
  name: string;
  file: string;
  width: number;
  height: number;
  version: string;
  nm_per_px: number | null;
  /** Who states the pixel size. */
  scale_source: string | null;
  /** Why no pixel size can be used: statements that contradict each other. */
  scale_problem: string | null;
  split: string | null;
  labelled: boolean;
  predicted: string[];
  unlike: string[];
  findings: string[];
}

export interface Project {
  name: string;
  root: string;
  problem?: string;
  /** Images of a folder whose classes are not named yet. */
  images_found?: number;
  data: string;
  classes: ClassInfo[];
  splits: string[];
  images: ImageCard[];
  models: { name: string; file: string }[];
  checked: boolean;
  /** Folders with labels for other programs. */
  exports: string[];
  version: string;
}

export interface ImageInfo {
  name: string;
  width: number;
  height: number;
  layers: [number, number][];
  tile_px: number;
  version: string;
  nm_per_px: number | null;
  scale_source: string | null;
  scale_problem: string | null;
  /** Rows from the top that show the specimen; those below are a data bar. */
  field_rows: number;
}

export interface Job {
  id: number;
  verb: string;
  title: string;
  command: string;
  /** Queued jobs wait until others have ended. */
  state: "queued" | "running" | "done" | "partly" | "failed" | "stopped";
  seconds: number;
  last: string;
  result: string | null;
  /** What was asked for, so that it can be asked for again. */
  asked: Record<string, unknown> | null;
}

export interface ParticleObject {
  id: number;
  x: number;
  y: number;
  box: [number, number, number, number];
  area_px: number;
  diameter_px: number;
  feret_max_px: number;
  feret_min_px: number;
  circularity: number;
  aspect_ratio: number;
  solidity: number;
  at_edge: boolean;
}

/** Pixels of one row: the row, the first column, and the column after the last one. */
export type Span = [number, number, number];

/** The server does not do what it was asked, or does not answer (status 0). */
export class Refused extends Error {
  constructor(
    public status: number,
    what: string,
    /** What somebody else has changed, if that is the reason. */
    public changed?: "label" | "classes" | "image",
  ) {
    super(what);
  }
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/api${path}`, init);
  } catch {
    throw new Refused(0, "Sorby does not answer. Is `sorby serve` still running?");
  }
  if (response.ok) return response;
  const text = await response.text();
  let told: { error: string; changed?: Refused["changed"] } = { error: text || response.statusText };
  try {
    told = JSON.parse(text) as typeof told;
  } catch {
    // The server refuses some requests before it reads them, in plain text.
  }
  throw new Refused(response.status, told.error, told.changed);
}

export async function get<T>(path: string): Promise<T> {
  return (await (await ask(path)).json()) as T;
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const headers = { "Content-Type": "application/json" };
  return (await (await ask(path, { method: "POST", headers, body: JSON.stringify(body) })).json()) as T;
}

export async function remove<T>(path: string): Promise<T> {
  return (await (await ask(path, { method: "DELETE" })).json()) as T;
}

export const imagePath = (name: string): string => `/images/${encodeURIComponent(name)}`;

/** What a model found in an image. */
export const predictionPath = (name: string, model: string): string =>
  `${imagePath(name)}/predictions/${encodeURIComponent(model)}`;

/** A map of one byte a pixel. Of a label, `revision` says which state of the file this is. */
export async function getMap(path: string): Promise<{ data: Uint8Array; revision: string; headers: Headers }> {
  const response = await ask(path, { cache: "no-store" });
  const revision = (response.headers.get("ETag") ?? "").replaceAll('"', "");
  return { data: new Uint8Array(await response.arrayBuffer()), revision, headers: response.headers };
}

async function gzip(data: Uint8Array): Promise<ArrayBuffer> {
  const stream = new Blob([data as BlobPart]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

export interface StoredLabel {
  data: Uint8Array;
  revision: string;
  /** Whether a stroke by hand, or another program, made part of it. */
  drawnByHand: boolean;
}

export async function getLabel(name: string): Promise<StoredLabel> {
  const { data, revision, headers } = await getMap(`${imagePath(name)}/label`);
  return { data, revision, drawnByHand: headers.get("x-drawn-by-hand") !== "false" };
}

/** What made a change of a label. */
export type By = "strokes" | "draft" | "prediction" | "version";

/** Saves a label that was drawn on the state `revision` of the file; gives the new state. */
export async function putLabel(name: string, data: Uint8Array, revision: string, by: By): Promise<string> {
  const response = await ask(`${imagePath(name)}/label?by=${by}`, {
    method: "PUT",
    headers: { "Content-Type": "application/octet-stream", "If-Match": `"${revision}"` },
    body: await gzip(data),
  });
  return ((await response.json()) as { revision: string }).revision;
}

/** A label as it was before a change. */
export interface Version {
  id: string;
  time_s: number;
  /** What had made it; "unknown" for another program. */
  by: By | "classes" | "unknown";
  drawn_by_hand: boolean;
  labelled_percent: number;
}

export async function getVersions(name: string): Promise<Version[]> {
  return (await get<{ versions: Version[] }>(`${imagePath(name)}/versions`)).versions;
}

export const versionPath = (name: string, id: string): string => `${imagePath(name)}/versions/${encodeURIComponent(id)}`;

/** The strokes that drafts of an image were made from; null where there are none. */
export async function getStrokes(name: string): Promise<Uint8Array | null> {
  const { data } = await getMap(`${imagePath(name)}/sketch`);
  return data.length ? data : null;
}

/** Saves the strokes of an image; none at all (255 everywhere) removes what was saved. */
export async function putStrokes(name: string, strokes: Uint8Array): Promise<void> {
  await ask(`${imagePath(name)}/sketch`, {
    method: "PUT",
    headers: { "Content-Type": "application/octet-stream" },
    body: await gzip(strokes),
  });
}

/** A part of an image: left, top, width, height. */
export interface Part {
  x: number;
  y: number;
  width: number;
  height: number;
}

const query = (part: Part): string => `x=${part.x}&y=${part.y}&width=${part.width}&height=${part.height}`;

/** Lets the server compute what drafts of a part need, before the first stroke. */
export async function prepareDraft(name: string, part: Part): Promise<void> {
  await ask(`${imagePath(name)}/features?${query(part)}`, { method: "POST" });
}

/** Classes of all pixels of a part, learnt from strokes in it. */
export async function makeDraft(name: string, part: Part, strokes: Uint8Array): Promise<Uint8Array> {
  const response = await ask(`${imagePath(name)}/draft?${query(part)}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream" },
    body: await gzip(strokes),
  });
  return new Uint8Array(await response.arrayBuffer()).subarray(0, strokes.length);
}

export const upload = (file: File): Promise<void> => uploadTo("/images", file);

/** Sends a file to one of the addresses that take files. */
export async function uploadTo(path: string, file: File): Promise<void> {
  await ask(`${path}?name=${encodeURIComponent(file.name)}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream" },
    body: file,
  });
}
