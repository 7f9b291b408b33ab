/** One image on the screen: tiles by OpenSeadragon, masks and marks on a canvas above them. */

import OpenSeadragon from "openseadragon";
import { imagePath, type ImageInfo, type Part, type Span } from "../api";
import { h } from "../dom";
import { MaskLayer, type Box, type Transform } from "./mask";
import { drawScaleBar } from "./scale_bar";

export type Point = { x: number; y: number };

/** Draws something above the masks. */
export type Mark = (context: CanvasRenderingContext2D, at: Transform) => void;

/** Where the tiles of an image are. OpenSeadragon counts levels from the smallest on, the server from the largest. */
function tileSource(info: ImageInfo): OpenSeadragon.TileSourceOptions {
  const levels = Math.ceil(Math.log2(Math.max(info.width, info.height)));
  return {
    width: info.width,
    height: info.height,
    tileSize: info.tile_px,
    tileOverlap: 0,
    minLevel: Math.max(0, levels - (info.layers.length - 1)),
    maxLevel: levels,
    getTileUrl: (level: number, x: number, y: number) =>
      `/api${imagePath(info.name)}/tiles/${levels - level}/${x}/${y}?v=${info.version}`,
  } as unknown as OpenSeadragon.TileSourceOptions;
}

function viewerOptions(element: HTMLElement, info: ImageInfo): OpenSeadragon.Options {
  return {
    element,
    // The stage round it takes the focus.
    tabIndex: -1,
    drawer: "canvas",
    showNavigationControl: false,
    showNavigator: true,
    navigatorPosition: "BOTTOM_RIGHT",
    navigatorSizeRatio: 0.14,
    animationTime: 0.25,
    springStiffness: 9,
    maxZoomPixelRatio: 24,
    minZoomImageRatio: 0.8,
    visibilityRatio: 0.3,
    imageSmoothingEnabled: false,
    preserveViewport: true,
    crossOriginPolicy: false,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: false },
    gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: false },
    tileSources: tileSource(info),
  };
}

export class ImageView {
  readonly element: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly viewer: OpenSeadragon.Viewer;
  layers: MaskLayer[] = [];
  /** Left of this share of the width the first layer is shown, right of it the second; null: both everywhere. */
  swipe: number | null = null;
  marks: Mark[] = [];
  /** While true, the image is shown without its layers. */
  layersHidden = false;
  /** The number of the frame that was asked for; 0 if none was. */
  private frame = 0;
  private placed = false;
  private closed = false;
  /** Whether the whole image was shown in the size that the view had last. */
  private fitted = false;
  /** The size has changed, and the whole image is to be shown in it as soon as OpenSeadragon has taken the new size. */
  private toRefit = false;
  private sizes: ResizeObserver;

  constructor(
    readonly info: ImageInfo,
    /** Called when the image has its place. */
    private ready: () => void = () => undefined,
  ) {
    const stage = h("div", { class: "stage" });
    this.canvas = h("canvas", { class: "overlay" });
    this.element = h("div", { class: "view" }, stage, this.canvas);
    this.viewer = OpenSeadragon(viewerOptions(stage, info));
    this.viewer.addHandler("open", () => {
      this.place();
      this.draw();
    });
    this.viewer.addHandler("update-viewport", () => {
      if (this.toRefit) this.refit();
      this.draw();
    });
    this.viewer.addHandler("resize", () => this.draw());
    this.sizes = new ResizeObserver(() => {
      this.place();
      this.toRefit ||= this.fitted;
      this.draw();
    });
    this.sizes.observe(this.element);
  }

  /** Shows the whole image as soon as the size of its place on the screen is known. Once only. */
  private place(): void {
    if (this.placed || this.closed || !this.element.clientWidth || !this.viewer.world?.getItemCount()) return;
    this.placed = true;
    this.refit();
    this.ready();
  }

  /** Shows the whole image in the size that the view has now. */
  private refit(): void {
    this.toRefit = false;
    const { clientWidth, clientHeight } = this.element;
    if (this.closed || !clientWidth) return;
    this.viewer.viewport.resize(new OpenSeadragon.Point(clientWidth, clientHeight), false);
    this.viewer.viewport.goHome(true);
  }

  close(): void {
    this.closed = true;
    this.sizes.disconnect();
    this.viewer.destroy();
  }

  /** How the image lies on the screen; null until it is there. */
  transform(): Transform | null {
    const item = this.viewer.world.getItemAt(0);
    if (!item) return null;
    const a = item.imageToViewerElementCoordinates(new OpenSeadragon.Point(0, 0));
    const b = item.imageToViewerElementCoordinates(new OpenSeadragon.Point(this.info.width, 0));
    return { zoom: (b.x - a.x) / this.info.width, x: a.x, y: a.y };
  }

  /** The pixel under a pointer; may lie outside of the image. */
  pixel(event: { clientX: number; clientY: number }): Point {
    const at = this.transform();
    const box = this.canvas.getBoundingClientRect();
    if (!at) return { x: -1, y: -1 };
    return { x: (event.clientX - box.left - at.x) / at.zoom, y: (event.clientY - box.top - at.y) / at.zoom };
  }

  inside(point: Point): boolean {
    return point.x >= 0 && point.y >= 0 && point.x < this.info.width && point.y < this.info.height;
  }

  /** Shows a box of the image. */
  show(box: Box): void {
    const item = this.viewer.world.getItemAt(0);
    if (!item) return;
    const rect = item.imageToViewportRectangle(box.left, box.top, box.right - box.left, box.bottom - box.top);
    this.viewer.viewport.fitBounds(rect, true);
  }

  /** Zooms about a pointer, or about the middle. */
  zoomBy(factor: number, event?: { clientX: number; clientY: number }, atOnce = false): void {
    let point: OpenSeadragon.Point | undefined;
    if (event) {
      const box = this.canvas.getBoundingClientRect();
      const place = new OpenSeadragon.Point(event.clientX - box.left, event.clientY - box.top);
      point = this.viewer.viewport.pointFromPixel(place);
    }
    this.viewer.viewport.zoomBy(factor, point, atOnce);
    this.viewer.viewport.applyConstraints(atOnce);
  }

  /** Shows the whole image. */
  fit(): void {
    this.viewer.viewport.goHome(true);
  }

  get isClosed(): boolean {
    return this.closed;
  }

  get isPlaced(): boolean {
    return this.placed;
  }

  /** Whether the whole image is shown. */
  get isFit(): boolean {
    const { viewport } = this.viewer;
    return Math.abs(viewport.getZoom() / viewport.getHomeZoom() - 1) < 0.01;
  }

  /** Shows a pixel of the image as `zoom` pixels of the screen; the middle stays, or becomes `middle`. */
  zoomTo(zoom: number, middle?: Point): void {
    const { clientWidth, clientHeight } = this.canvas;
    const seen = this.visibleBox();
    const { x, y } = middle ?? { x: (seen.left + seen.right) / 2, y: (seen.top + seen.bottom) / 2 };
    const [halfWidth, halfHeight] = [clientWidth / zoom / 2, clientHeight / zoom / 2];
    this.show({ left: x - halfWidth, right: x + halfWidth, top: y - halfHeight, bottom: y + halfHeight });
  }

  panBy(dx: number, dy: number): void {
    const move = this.viewer.viewport.deltaPointsFromPixels(new OpenSeadragon.Point(dx, dy));
    this.viewer.viewport.panBy(move, true);
  }

  /** The part of the image that can be seen. */
  visibleBox(): Box {
    const at = this.transform() ?? { zoom: 1, x: 0, y: 0 };
    const { clientWidth, clientHeight } = this.canvas;
    const clamp = (value: number, limit: number): number => Math.max(0, Math.min(limit, value));
    return {
      left: Math.floor(clamp(-at.x / at.zoom, this.info.width)),
      top: Math.floor(clamp(-at.y / at.zoom, this.info.height)),
      right: Math.ceil(clamp((clientWidth - at.x) / at.zoom, this.info.width)),
      bottom: Math.ceil(clamp((clientHeight - at.y) / at.zoom, this.info.height)),
    };
  }

  /** Draws at the next frame, or at once. */
  draw(now = false): void {
    if (now) return this.paint();
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  private paint(): void {
    const at = this.closed ? null : this.transform();
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!at || !width) return;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    } else if (!this.toRefit) {
      this.fitted = this.isFit;
    }
    const context = this.canvas.getContext("2d")!;
    context.clearRect(0, 0, width, height);
    if (!this.layersHidden) this.paintLayers(context, at);
    for (const mark of this.marks) mark(context, at);
    drawScaleBar(context, at, this.info.nm_per_px);
  }

  private paintLayers(context: CanvasRenderingContext2D, at: Transform): void {
    const { width, height } = this.canvas;
    const edge = this.swipe === null ? null : this.swipe * width;
    this.layers.forEach((layer, i) => {
      // The line of the swipe is between the first two layers only.
      if (edge === null || i > 1) return layer.draw(context, at);
      const clip = i === 0 ? { left: 0, right: edge } : { left: edge, right: width };
      layer.draw(context, at, { ...clip, top: 0, bottom: height });
    });
    if (edge === null) return;
    context.fillStyle = "#ffffff";
    context.fillRect(edge - 1, 0, 2, height);
  }
}

/** Frames a part of the image with a dashed line. */
export function partFrame(context: CanvasRenderingContext2D, at: Transform, part: Part): void {
  const { x, y, width, height } = part;
  context.save();
  context.lineWidth = 2;
  for (const [colour, dash] of [["#000000", []], ["#f0e442", [8, 6]]] as const) {
    context.strokeStyle = colour;
    context.setLineDash([...dash]);
    context.strokeRect(at.x + x * at.zoom, at.y + y * at.zoom, width * at.zoom, height * at.zoom);
  }
  context.restore();
}

/** Covers rows of pixels with a colour that lets the image through. */
export function outline(spans: Span[], colour: string): Mark {
  const path = new Path2D();
  for (const [y, start, end] of spans) path.rect(start, y, end - start, 1);
  return (context, at) => {
    context.save();
    context.setTransform(at.zoom, 0, 0, at.zoom, at.x, at.y);
    context.fillStyle = colour;
    context.globalAlpha = 0.55;
    context.fill(path);
    context.restore();
  };
}
