/** The page of one image: looked at, labelled, compared. */

import { h } from "../dom";
import { EditedLabel } from "../label/edited_label";
import { Editor } from "../label/editor";
import { leftover } from "../label/save";
import { toast } from "../messages";
import type { Page } from "../page";
import { reload } from "../project";
import { listen } from "../server_events";
import { BrushSettings } from "./brush_settings";
import { ClassList } from "./class_list";
import { Comparison } from "./comparison";
import { DraftPanel } from "./draft_panel";
import { belongsToElement, pressKey } from "./keyboard";
import { imageBar, imagePanel, imageStage } from "./layout";
import { ObjectFacts } from "./object_facts";
import { openImage, type OpenImage } from "./open_image";
import { Prediction } from "./prediction";
import { Quality } from "./quality";
import { Saving } from "./saving";
import { Toolbar } from "./toolbar";

class ImagePage implements Page {
  readonly element: HTMLElement;
  readonly editor: Editor;
  readonly classes: ClassList;
  readonly drafts: DraftPanel;
  readonly prediction: Prediction;
  readonly brush: BrushSettings;
  readonly quality: Quality;
  readonly comparison: Comparison;
  readonly facts: ObjectFacts;
  private saving: Saving;
  private toolbar: Toolbar;
  private stopListening: () => void;

  constructor(
    readonly image: OpenImage,
    revision: string,
  ) {
    const redraw = (): void => this.redraw();
    const stage = imageStage(image);
    this.saving = new Saving(image, revision, (label) => this.editor.reset(label), redraw);
    this.facts = new ObjectFacts(image, () => this.comparison.maskModel, () => this.saving.saver.save());
    const label = new EditedLabel(image.label, image.labelLayer, () => this.saving.saver.changed());
    this.editor = new Editor(image.view, label, (at) => void this.facts.measure(at), redraw);
    this.toolbar = new Toolbar(this.editor);
    this.brush = new BrushSettings(this.editor);
    this.classes = new ClassList(this.editor, image.project.classes, redraw);
    this.quality = new Quality(image);
    this.comparison = new Comparison(image, stage, () => this.editor.draft, this.quality);
    this.drafts = new DraftPanel(image, this.editor, redraw, () => void this.comparison.show());
    this.prediction = new Prediction(image, this.editor, this.comparison);
    this.element = h(
      "section",
      { class: "image-page" },
      imageBar(image, this.saving.state),
      this.saving.conflict,
      this.toolbar.element,
      stage,
      this.comparison.divider,
      imagePanel(image, this),
    );
    document.addEventListener("keydown", this.key);
    this.stopListening = listen((event) => {
      if (event.kind === "project") void this.renewCard();
    });
    this.redraw();
  }

  /** Shows the tool, class, brush and draft that are in use now. */
  private redraw(): void {
    this.toolbar.draw();
    this.brush.draw();
    this.classes.draw();
    this.drafts.draw();
  }

  private key = (event: KeyboardEvent): void => {
    if (belongsToElement(event)) return;
    if (pressKey(event, this)) event.preventDefault();
    this.redraw();
  };

  /** The project has changed: there may be a new prediction of this image. */
  private async renewCard(): Promise<void> {
    const project = await reload();
    const { image } = this;
    image.card = project.images.find((card) => card.name === image.name) ?? image.card;
    this.comparison.drawLists();
    this.prediction.draw();
  }

  /** Strokes that could not be saved when the image was left. */
  restore(label: Uint8Array): void {
    this.editor.take(label, this.image.whole);
    toast("The strokes that were not saved are back; Ctrl+Z leaves the label as it is in the file");
  }

  leave(): void {
    this.saving.saver.close();
    this.stopListening();
    document.removeEventListener("keydown", this.key);
    this.image.view.close();
    this.comparison.close();
  }
}

export async function imagePage(name: string): Promise<Page> {
  const unsaved = await leftover(name);
  const { image, revision } = await openImage(name);
  const page = new ImagePage(image, revision);
  if (unsaved?.length === image.label.data.length) page.restore(unsaved);
  // The test of the page looks at the label and at the speed of the brush here.
  Object.assign(window, { sorbyEditor: page.editor });
  return page;
}
