/** The newest masks of a run over the first few validation images. */

import { get, getMap, imagePath, type ImageInfo } from "../api";
import { h, replace } from "../dom";
import { theProject } from "../project";
import { classPalette, MaskLayer } from "../viewer/mask";
import { ImageView } from "../viewer/view";

const MOST_IMAGES = 4;

export class ValidationMasks {
  readonly element = h("div", { class: "overlays" });
  private views: ImageView[] = [];

  async show(run: string, images: string[]): Promise<void> {
    this.close();
    replace(this.element);
    for (const image of images.slice(0, MOST_IMAGES)) {
      try {
        await this.add(run, image);
      } catch {
        // The image has been removed since; its mask cannot be shown.
      }
    }
  }

  private async add(run: string, image: string): Promise<void> {
    const info = await get<ImageInfo>(imagePath(image));
    const path = `/runs/${encodeURIComponent(run)}/validation/${encodeURIComponent(image)}`;
    const { data } = await getMap(path);
    if (data.length !== info.width * info.height) return;
    const view = new ImageView(info);
    view.layers = [new MaskLayer(info.width, info.height, data, classPalette(theProject().classes, false))];
    this.views.push(view);
    this.element.append(h("figure", {}, h("figcaption", {}, image), view.element));
  }

  close(): void {
    this.views.forEach((view) => view.close());
    this.views = [];
  }
}
