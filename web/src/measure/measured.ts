/** What the server measured, and the properties of objects that the page shows. */

import type { ParticleObject } from "../api";

export interface Estimate {
  quantity: string;
  value: number;
  ci95: number | null;
}

export interface MeasuredImage {
  name: string;
  summary: { count: number; area_fraction: number; mean_radius_px: number | null };
  nm_per_px: number | null;
  objects: ParticleObject[];
  estimates: Estimate[];
}

export interface Measured {
  /** Whether every image has a pixel size, so that lengths are told in nm. */
  scaled: boolean;
  images: MeasuredImage[];
  problems: { image: string; problem: string }[];
  estimates: Estimate[];
}

/** An object, its image, and the size of a pixel in the unit of the page. */
export interface MeasuredObject {
  image: MeasuredImage;
  object: ParticleObject;
  pixel: number;
}

export const unitOf = (measured: Measured): string => (measured.scaled ? "nm" : "px");

const pixelOf = (measured: Measured, image: MeasuredImage): number => (measured.scaled ? (image.nm_per_px ?? 1) : 1);

export function objectsOf(measured: Measured, image: MeasuredImage): MeasuredObject[] {
  const pixel = pixelOf(measured, image);
  return image.objects.map((object) => ({ image, object, pixel }));
}

/** The objects of all images. */
export function allObjects(measured: Measured | null): MeasuredObject[] {
  return measured ? measured.images.flatMap((image) => objectsOf(measured, image)) : [];
}

/** A property of an object, of which there is a histogram. */
export interface Property {
  key: string;
  title: string;
  /** 0 for a plain number, 1 for a length, 2 for an area. */
  dimension: 0 | 1 | 2;
  /** The value in pixels. */
  inPixels: (object: ParticleObject) => number;
}

export const DIAMETER: Property = {
  key: "diameter",
  title: "equivalent diameter",
  dimension: 1,
  inPixels: (o) => o.diameter_px,
};

export const PROPERTIES: Property[] = [
  DIAMETER,
  { key: "area", title: "area", dimension: 2, inPixels: (o) => o.area_px },
  { key: "feret", title: "maximum Feret diameter", dimension: 1, inPixels: (o) => o.feret_max_px },
  { key: "circularity", title: "circularity", dimension: 0, inPixels: (o) => o.circularity },
  { key: "aspect", title: "aspect ratio", dimension: 0, inPixels: (o) => o.aspect_ratio },
];

/** The value of a property in the unit of the page. */
export const valueIn = (property: Property, { object, pixel }: MeasuredObject): number =>
  property.inPixels(object) * pixel ** property.dimension;
