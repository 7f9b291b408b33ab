/** The page of one image: looked at, labelled, compared. */

import type { By, StoredLabel } from "../api";
import { h } from "../dom";
import { EditedLabel } from "../label/edited_label";
import { Editor } from "../label/editor";
import { has, left, redraw, type Drawn, type Left } from "../label/journal";
import { forgetLeftover, leftover } from "../label/save";
import { toast, toastWithButton } from "../messages";
import type { Page } from "../page";
import { reload } from "../project";
import { listen } from "../server_events";
import { BrushSettings } from "./brush_settings";
import { ClassList } from "./class_list";
import { Comparison } from "./comparison";
import { DraftPanel } from "./draft_panel";
import { belongsToElement, pressKey } from "./keyboard";
import { goOn, keepWork, takeWalk } from "./kept";
import { imageBar, imagePanel, imageStage } from "./layout";
import { LookSettings } from "./look_settings";
import { ObjectFacts } from "./object_facts";
import { openImage, type OpenImage } from "./open_image";
import { Prediction } from "./prediction";
import { Quality } from "./quality";
import { Saving } from "./saving";
import { Toolbar } from "./toolbar";
import { Versions } from "./versions";
import { ViewBar } from "./view_bar";

class ImagePage implements Page {
  readonly element: HTMLElement;
  readonly editor: Editor;
  readonly classes: ClassList;
  readonly drafts: DraftPanel;
  readonly prediction: Prediction;
  readonly brush: BrushSettings;
  readonly quality: Quality;
  readonly comparison: Comparison;
  readonly lookSettings: LookSettings;
  readonly facts: ObjectFacts;
  private saving: Saving;
  private toolbar: Toolbar;
  private versions: Versions;
  private stopListening: () => void;

  constructor(
    readonly image: OpenImage,
    stored: StoredLabel,
  ) {
    const redraw = (): void => this.redraw();
    const stage = imageStage(image);
    const finished = (): Uint8Array => this.editor.label.finished;
    const reset = (label: Uint8Array, byHand: boolean): void => this.editor.reset(label, byHand);
    this.saving = new Saving(image, stored.revision, finished, reset, redraw);
    const { saver } = this.saving;
    this.facts = new ObjectFacts(image, () => this.comparison.maskModel, () => saver.save());
    const edited = (_: unknown, by: By, drawn: Drawn): void => saver.changed(by, drawn);
    const label = new EditedLabel(image.label, image.labelLayer, edited, stored.drawnByHand);
    this.editor = new Editor(image.view, label, (at) => void this.facts.measure(at), redraw);
    this.toolbar = new Toolbar(this.editor);
    this.brush = new BrushSettings(this.editor);
    this.classes = new ClassList(this.editor, image.project.classes, redraw);
    this.quality = new Quality(image);
    this.comparison = new Comparison(image, stage, () => this.editor.draft, this.quality);
    this.lookSettings = new LookSettings(this.comparison, stage);
    this.comparison.lists.append(this.lookSettings.element);
    this.drafts = new DraftPanel(image, this.editor, saver, redraw, () => void this.comparison.show());
    this.prediction = new Prediction(image, this.editor, this.comparison, saver);
    this.versions = new Versions(image, this.editor, saver, this.comparison);
    image.view.element.append(new ViewBar(this.editor).element);
    goOn(this, takeWalk());
    const panel = imagePanel(image, this);
    panel.append(this.versions.element);
    this.element = h(
      "section",
      { class: "image-page" },
      imageBar(image, this.saving.state),
      this.saving.conflict,
      this.toolbar.element,
      stage,
      this.comparison.divider,
      panel,
    );
    this.stopListening = this.listen();
    this.redraw();
  }

  /** Listens to keys and to the server, until the returned function is called. */
  private listen(): () => void {
    const showAgain = (): void => this.image.hideLayers(false);
    const keyUp = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() === "h") showAgain();
    };
    document.addEventListener("keydown", this.key);
    document.addEventListener("keyup", keyUp);
    window.addEventListener("blur", showAgain);
    const stop = listen((event) => {
      if (event.kind === "project") void this.renewCard();
    });
    return () => {
      stop();
      document.removeEventListener("keydown", this.key);
      document.removeEventListener("keyup", keyUp);
      window.removeEventListener("blur", showAgain);
    };
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
    if (image.left) return;
    image.card = project.images.find((card) => card.name === image.name) ?? image.card;
    this.comparison.drawLists();
    this.prediction.draw();
  }

  /** Strokes that could not be saved when the image was left. */
  restore(label: Uint8Array): void {
    this.editor.take(label, this.image.whole);
    forgetLeftover(this.image.name);
    toast("The strokes that were not saved are back; Ctrl+Z leaves the label as it is in the file");
  }

  /** Strokes that a page drew which ended before they were saved. */
  redrawLeft({ base, drawn, forget }: Left): void {
    const { label, whole } = this.image;
    const again = (): void => {
      const data = label.data.slice();
      for (const step of drawn) redraw(data, step);
      this.editor.take(data, whole);
      forget();
    };
    const [file, ...ground] = this.saving.saver.revision.split(".");
    const [itsFile, ...itsGround] = base.split(".");
    // With other classes, or over another picture, they would mean something else.
    if (ground.join() !== itsGround.join()) return;
    // The file may hold some of them: the answer to their save was lost.
    if (file === itsFile || has(label.data, drawn)) {
      const before = label.data.slice();
      again();
      if (!before.every((value, i) => value === label.data[i])) toast("Strokes that were not saved when the page ended are back");
    } else {
      toastWithButton("Strokes were not saved when the page ended, and the label has changed since.", "Draw them on it", again);
    }
  }

  shown(): void {
    // The test of the page looks at the label and at the speed of the brush here.
    Object.assign(window, { sorbyEditor: this.editor });
  }

  leave(): void {
    const { image } = this;
    image.left = true;
    this.editor.end();
    keepWork(this);
    this.saving.saver.close();
    this.drafts.leave();
    this.versions.leave();
    this.stopListening();
    this.comparison.close();
    image.view.close();
  }
}

export async function imagePage(name: string): Promise<Page> {
  const unsaved = await leftover(name);
  // Asked first: what a page that is gone has sent last is in the label by then.
  const pending = await left(`label/${name}`);
  const { image, stored } = await openImage(name);
  const page = new ImagePage(image, stored);
  if (unsaved?.length === image.label.data.length) page.restore(unsaved);
  for (const strokes of pending) page.redrawLeft(strokes);
  return page;
}
