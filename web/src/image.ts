/** One image: looked at, labelled, compared. */

import { get, getMap, imagePath, listen, predictionPath, type ImageInfo, type ParticleObject, type Span } from "./api";
import { button, choice, digits, h, replace, toast, toastError } from "./dom";
import { Draft } from "./label/draft";
import { EditedLabel } from "./label/edited_label";
import { Editor } from "./label/editor";
import { useKey } from "./label/keys";
import { leftover, Saver, type SaveState } from "./label/save";
import { TOOLS } from "./label/tools";
import { imageLink, thresholdLink } from "./links";
import type { Page } from "./page";
import { reload, theProject } from "./project";
import { MaskLayer, palette } from "./viewer/mask";
import { legend, objectTable, type Trust } from "./viewer/facts";
import { scaleText } from "./viewer/scale_bar";
import { layerOf, sources } from "./viewer/source";
import { ImageView, outline, type Point } from "./viewer/view";

const WORDS: Record<SaveState, string> = {
  saved: "Saved",
  changed: "Not saved yet",
  saving: "Saving...",
  conflict: "Changed elsewhere",
  failed: "Not saved",
};

export async function imagePage(name: string): Promise<Page> {
  const kept = await leftover(name);
  const info = await get<ImageInfo>(imagePath(name));
  const project = theProject();
  let card = project.images.find((c) => c.name === name);
  const { data, revision } = await getMap(`${imagePath(name)}/label`);
  let showFirst = false;
  const colours = (): ReturnType<typeof palette> => palette(project.classes.map((c) => c.color), showFirst);
  const labelLayer = new MaskLayer(info.width, info.height, data, colours());
  const view = new ImageView(info, goToRegion);
  let second: ImageView | null = null;
  let marked: ((c: CanvasRenderingContext2D, at: { zoom: number; x: number; y: number }) => void) | null = null;
  view.marks.push((context, at) => marked?.(context, at));
  view.layers = [labelLayer];

  // Saving.
  const state = h("span", { class: "state", role: "status" }, WORDS.saved);
  const conflict = h("div", { class: "conflict", hidden: true });
  const saver = new Saver(
    name,
    () => data,
    revision,
    (now, why, changed) => {
      // On other classes or another picture these strokes mean something else: they can only be drawn again.
      const label = changed === undefined || changed === "label";
      state.textContent = WORDS[now];
      state.dataset.state = now;
      conflict.hidden = now !== "conflict" && now !== "failed";
      replace(
        conflict,
        h("span", {}, why ?? ""),
        now === "conflict" && label && button("Load theirs", () => void theirs()),
        now === "conflict" && label && button("Keep mine", () => void saver.overwrite()),
        now === "conflict" && !label && button("Open the image again", () => location.reload()),
        now === "failed" && button("Try again", () => saver.retry()),
      );
      tools();
    },
    () => void theirs(),
  );
  async function theirs(): Promise<void> {
    const now = await getMap(`${imagePath(name)}/label`);
    saver.revision = now.revision;
    editor.reset(now.data);
    saver.state = "saved";
    state.textContent = WORDS.saved;
    conflict.hidden = true;
    toast("The label was changed elsewhere and is loaded again");
  }

  const editor = new Editor(
    view,
    new EditedLabel({ data, width: info.width, height: info.height }, labelLayer, () => saver.changed()),
    (at) => void lookAt(at),
    () => tools(),
  );

  // What is shown.
  let shown = "label";
  let other = "";
  let how = "swipe";
  const about = h("div", { class: "about" });
  async function show(): Promise<void> {
    try {
      const first = shown === "label" ? labelLayer : await layerOf(name, info, shown, data, colours());
      const next = other ? (other === "label" ? labelLayer : await layerOf(name, info, other, data, colours())) : null;
      first.opacity = Number(opacity.value) / 100;
      if (next) next.opacity = first.opacity;
      const sideBySide = next !== null && how === "side";
      view.layers = next && !sideBySide ? [first, next] : [first];
      view.swipe = next && !sideBySide ? (view.swipe ?? 0.5) : null;
      pair(sideBySide ? next : null);
      if (editor.draft) view.layers.push(editor.draft.resultLayer, editor.draft.layer);
      divider.hidden = view.swipe === null;
      view.draw();
      void expected();
    } catch (error) {
      toastError(error);
    }
  }

  /** A second window beside the first that moves with it. */
  function pair(layer: MaskLayer | null): void {
    if (!layer) {
      second?.close();
      second?.element.remove();
      second = null;
      return;
    }
    if (!second) {
      second = new ImageView(info);
      stage.append(second.element);
      let leading = false;
      const follow = (from: ImageView, to: ImageView) => (): void => {
        if (leading) return;
        leading = true;
        to.viewer.viewport?.fitBounds(from.viewer.viewport.getBounds(true), true);
        leading = false;
      };
      view.viewer.addHandler("update-viewport", follow(view, second));
      second.viewer.addHandler("update-viewport", follow(second, view));
    }
    second.layers = [layer];
    second.draw();
  }

  const trust = h("div", { class: "quiet" });
  async function expected(): Promise<void> {
    const model = [shown, other].map((s) => s.split(":")[1]).find((m) => m);
    const path = `${predictionPath(name, model ?? "")}/trust`;
    const told = model ? await get<Trust>(path).catch(() => null) : null;
    const rows: HTMLElement[] = [];
    for (const row of told?.classes ?? []) {
      const [value, low, high] = row.iou_percent;
      const range = low !== null && high !== null ? ` (${digits(low)} to ${digits(high)})` : "";
      if (value !== null) rows.push(h("div", {}, `${row.class}: IoU ${digits(value)} % expected${range}`));
    }
    if (told?.unlike) rows.push(h("div", { class: "problem" }, "This image is unlike the model's training images."));
    const errors = [shown, other].some((s) => s.startsWith("errors:"));
    replace(trust, ...(errors ? legend() : []), ...rows);
  }

  async function lookAt(at: Point): Promise<void> {
    const model = shown.startsWith("mask:") ? shown.slice(5) : "labels";
    const place = `of=${encodeURIComponent(model)}&x=${Math.floor(at.x)}&y=${Math.floor(at.y)}`;
    if (model === "labels") await saver.save();
    try {
      const found = await get<{ object: ParticleObject | null; class: number; spans: Span[]; nm_per_px: number | null }>(
        `${imagePath(name)}/object?${place}`,
      );
      if (!found.object) {
        marked = null;
        replace(about, h("p", { class: "quiet" }, "Click an object for its measurements."));
      } else {
        marked = outline(found.spans, "#ffffff");
        replace(about, objectTable(found.object, project.classes[found.class].name, found.nm_per_px));
      }
      view.draw();
    } catch (error) {
      toastError(error);
    }
  }

  // Controls.
  const opacity = h("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": "Opacity of the mask", input: () => void show() });
  const toolbox = h("div", { class: "tools", role: "toolbar", "aria-label": "Tools" });
  const panel = h("div", { class: "panel" });
  function tools(): void {
    replace(
      toolbox,
      ...TOOLS.map(({ tool, key, title, help }) =>
        button(title, () => editor.setTool(tool), {
          "aria-pressed": String(editor.tool === tool),
          title: `${help} (${key.toUpperCase()})`,
          "data-tool": tool,
        }),
      ),
      h("span", { class: "rule" }),
      button("Undo", () => editor.undo(), { disabled: !editor.label.history.canUndo, title: "Ctrl+Z", id: "undo" }),
      button("Redo", () => editor.redo(), { disabled: !editor.label.history.canRedo, title: "Ctrl+Y", id: "redo" }),
    );
    replace(radius, h("span", {}, `Brush ${digits(editor.radius)} px`));
    greys.hidden = editor.tool !== "threshold";
    for (const [i, element] of [...classList.children].entries()) {
      element.querySelector("button")?.setAttribute("aria-pressed", String(editor.classIndex === (i < project.classes.length ? i : 255)));
    }
    replace(sketchBox, ...sketchControls());
  }
  const radius = h("span", { class: "quiet" });
  const level = (i: 0 | 1): HTMLInputElement =>
    h("input", {
      type: "range",
      min: 0,
      max: 255,
      value: editor.greys[i],
      "aria-label": i === 0 ? "Darkest grey painted" : "Brightest grey painted",
      input: (e) => (editor.greys[i] = Number((e.target as HTMLInputElement).value)),
    });
  const greys = h("div", { class: "field", hidden: true }, h("span", {}, "Grey levels painted"), level(0), level(1));
  const pick = (index: number): void => {
    editor.classIndex = index;
    if (editor.tool === "look" || editor.tool === "erase") editor.setTool("brush");
    tools();
  };
  const classList = h(
    "ul",
    { class: "classes", "aria-label": "Classes" },
    ...project.classes.map((c, i) =>
      h(
        "li",
        {},
        button(c.name, () => pick(i), { "aria-pressed": String(i === 1), style: `--colour: ${c.color}`, title: `Key ${i + 1}` }),
      ),
    ),
    h("li", {}, button("ignore", () => pick(255), { "aria-pressed": "false", class: "ignore", title: "Key 0" })),
  );

  const sketchBox = h("div", { class: "sketch" });
  function sketchControls(): (HTMLElement | null)[] {
    const sketch = editor.draft;
    if (!sketch) return [button("Answer while I paint", begin, { title: "A few strokes of each class: the rest is drafted (D)", id: "sketch" })];
    return [
      h("p", { class: "quiet" }, sketch.ready ? `Draft in ${digits(sketch.seconds, 2)} s. Paint more where it is wrong.` : "Paint a stroke of each class."),
      button("Use the draft", useDraft, { class: "primary", disabled: !sketch.ready, id: "use-draft", title: "Shift+D" }),
      button("Leave it", endSketch),
    ];
  }
  function begin(): void {
    editor.draft = new Draft(view, colours(), tools);
    if (editor.tool === "look") editor.setTool("brush");
    tools();
    void show();
  }
  function endSketch(): void {
    editor.draft = null;
    tools();
    void show();
  }
  function useDraft(): void {
    const sketch = editor.draft;
    if (!sketch?.ready) return;
    editor.draft = null;
    editor.take(sketch.classes(), sketch.part);
    tools();
    void show();
  }
  async function accept(): Promise<void> {
    const model = shown.startsWith("mask:") ? shown.slice(5) : card?.predicted.at(-1);
    if (!model) return toast("There is no prediction of this image yet");
    const mask = await getMap(`${predictionPath(name, model)}/mask`);
    editor.take(mask.data, { x: 0, y: 0, width: info.width, height: info.height });
    shown = "label";
    comparisons();
    await show();
    toast(`The prediction of ${model} is the label now; Ctrl+Z takes it back`);
  }

  const divider = h("input", {
    type: "range",
    class: "divider",
    min: 0,
    max: 1000,
    value: 500,
    hidden: true,
    "aria-label": "Where the swipe is",
    input: (e) => ((view.swipe = Number((e.target as HTMLInputElement).value) / 1000), view.draw()),
  });
  const acceptBox = h("div");
  const lookBox = h("div");
  /** What there is to compare with; more when a model has segmented the image meanwhile. */
  function comparisons(): void {
    const list = sources(
      card?.predicted ?? [],
      project.classes.map((c) => c.name),
    );
    replace(
      acceptBox,
      (card?.predicted.length ?? 0) > 0 &&
        button("Accept the prediction", () => void accept(), { title: "Key A", id: "accept" }),
    );
    replace(
      lookBox,
      choice("Show", list, shown, (v) => ((shown = v), void show())),
      choice("Beside", [["", "nothing"], ...list], other, (v) => ((other = v), void show())),
      choice("How", [["swipe", "swipe"], ["side", "side by side"]], how, (v) => ((how = v), void show())),
    );
  }
  comparisons();
  replace(
    panel,
    h("h2", {}, "Class"),
    classList,
    radius,
    greys,
    h("h2", {}, "Draft"),
    sketchBox,
    acceptBox,
    h("h2", {}, "Look"),
    lookBox,
    h("label", { class: "field" }, h("span", {}, "Opacity"), opacity),
    h(
      "label",
      { class: "check" },
      h("input", { type: "checkbox", change: (e) => ((showFirst = (e.target as HTMLInputElement).checked), labelLayer.recolour(colours()), void show()) }),
      `Show ${project.classes[0].name} too`,
    ),
    trust,
    h("h2", {}, "Object"),
    about,
    card && card.findings.length > 0 && h("div", { class: "problem" }, ...card.findings.map((f) => h("p", {}, f))),
  );
  replace(about, h("p", { class: "quiet" }, "Click an object for its measurements."));

  const names = project.images.map((c) => c.name);
  const at = names.indexOf(name);
  const step = (by: number): string => imageLink(names[(at + by + names.length) % names.length]);
  const stage = h("div", { class: "views", tabindex: "0", role: "application", "aria-label": `${name}: arrows move the cursor, Enter uses the tool` }, view.element);
  const key = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    if (["INPUT", "SELECT", "TEXTAREA"].includes(target.tagName)) return;
    if (target.tagName === "BUTTON" && (event.key === "Enter" || event.key === " ")) return;
    if (target.tagName === "A" && event.key === "Enter") return;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    let used = true;
    if (plain && /^[1-9]$/.test(event.key) && Number(event.key) <= project.classes.length) pick(Number(event.key) - 1);
    else if (plain && event.key === "0") pick(255);
    else if (plain && event.key === "D" && editor.draft) useDraft();
    else if (plain && event.key === "d") editor.draft ? endSketch() : begin();
    else if (plain && event.key === "a") void accept();
    else if (plain && event.key === "n") location.hash = step(1);
    else if (plain && event.key === "N") location.hash = step(-1);
    else used = useKey(editor, event);
    if (used) event.preventDefault();
    tools();
  };
  document.addEventListener("keydown", key);
  function goToRegion(): void {
    const region = location.hash.split("/")[3]?.split(",").map(Number);
    if (region?.length !== 4 || region.some((n) => !Number.isFinite(n))) return;
    const [x, y, w, hgt] = region;
    view.show({ left: x - w / 2, top: y - hgt / 2, right: x + 1.5 * w, bottom: y + 1.5 * hgt });
    view.marks.push((context, t) => {
      context.strokeStyle = "#f0e442";
      context.lineWidth = 2;
      context.strokeRect(t.x + x * t.zoom, t.y + y * t.zoom, w * t.zoom, hgt * t.zoom);
    });
  }
  const deaf = listen((event) => {
    if (event.kind !== "project") return;
    void reload().then((now) => {
      card = now.images.find((c) => c.name === name) ?? card;
      comparisons();
    });
  });
  if (kept?.length === data.length) {
    editor.take(kept, { x: 0, y: 0, width: info.width, height: info.height });
    toast("The strokes that were not saved are back; Ctrl+Z leaves the label as it is in the file");
  }
  tools();
  // For whoever measures how quick the brush is.
  Object.assign(window, { sorbyEditor: editor });
  const element = h(
    "section",
    { class: "image-page" },
    h(
      "div",
      { class: "image-bar" },
      h("a", { href: step(-1), "aria-label": "Previous image", title: "Shift+N" }, "‹"),
      h("h1", {}, name),
      h("a", { href: step(1), "aria-label": "Next image", title: "N" }, "›"),
      h("span", { class: "quiet", title: info.scale_source ?? "" }, `${info.width} × ${info.height} · ${scaleText(info)}`),
      info.scale_problem && h("span", { class: "mark bad", title: info.scale_problem }, "scale refused"),
      h("span", { class: "gap" }),
      h("a", { class: "button", href: thresholdLink(name) }, "Threshold duel"),
      state,
    ),
    conflict,
    toolbox,
    stage,
    divider,
    panel,
  );
  return {
    element,
    leave: () => {
      saver.close();
      deaf();
      document.removeEventListener("keydown", key);
      view.close();
      second?.close();
    },
  };
}
