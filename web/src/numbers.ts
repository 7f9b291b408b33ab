/** Numbers as people read them. */

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "-";
  const s = Math.round(seconds);
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** A number with `count` significant digits; whole numbers up to a million have all theirs. */
export function digits(value: number | null | undefined, count = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "-";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  return Number(value.toPrecision(count)).toString();
}

/** `1 image`, `3 images`. */
export const counted = (number: number, word: string): string => `${number} ${word}${number === 1 ? "" : "s"}`;

/** A size on the disk. */
export function bytesText(bytes: number): string {
  return bytes < 1e9 ? `${Math.max(1, Math.round(bytes / 1e6))} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** A part of one in percent. */
export const percent = (part: number | null): number | null => (part === null ? null : 100 * part);

/** NaN if there is no number. */
export function mean(list: number[]): number {
  return list.length ? list.reduce((a, b) => a + b, 0) / list.length : NaN;
}
