// The bars above and below the pictures. Every control changes viewer.settings and paints; nothing is sent to the server.
const MODES = {
  move: ["Move", "Drag moves the picture (M)"],
  window: ["Window", "Drag sideways changes the window's width, up and down its level (G). The right mouse button does so in every mode"],
  ruler: ["Ruler", "Drag measures a length (R)"],
  draw: ["Draw", "Drag draws a region; several may be drawn (D)"],
};

const KEYS = [
  ["Arrows", "move the picture"], ["Shift + arrows", "move the pointer by a pixel, with Alt by ten"], ["+  −", "zoom at the pointer"],
  ["0, double click", "whole picture, first window"], ["B (held)", "blink: hide the map"], ["H", "map on or off"], ["[  ]", "opacity"],
  [",  .", "threshold"], ["K", "next colour map"], ["X", "true cells or smooth"], ["E", "evidence for, against, both"], ["1 … 6", "window by number"],
  ["W / Shift+W", "window wider / narrower"], ["L / Shift+L", "level up / down"], ["M  G  R  D", "drag moves, windows, measures, draws"],
  ["Space", "ruler or drawing: set a point at the pointer"], ["Enter", "drawing: close the region"], ["Backspace", "drawing: take back"],
  ["Escape", "end ruler or drawing"], ["F", "full screen"], ["?", "this list"],
];

class Controls {
  constructor(viewer) {
    this.viewer = viewer;
    const change = (name, value) => viewer.change({ [name]: value });
    this.modes = Object.fromEntries(Object.entries(MODES).map(([mode, [label, title]]) =>
      [mode, element("button", { type: "button", title, onclick: () => viewer.setMode(mode) }, label)]));
    this.window = element("select", { title: "Window: how Hounsfield units become grey", "aria-label": "Window", onchange: () => viewer.chooseWindow(this.window.value) });
    this.windowLabel = element("span", { class: "field" }, this.window);
    this.baked = element("span", { class: "quiet", title: "The file is a picture, not Hounsfield units: its grey levels stay as stored" }, "window: as stored");
    this.beside = element("button", { type: "button", title: "Show the slice without the map beside it", onclick: () => change("beside", !viewer.settings.beside) }, "Slice beside");
    this.undo = element("button", { type: "button", title: "Take the last region back (Backspace)", onclick: () => viewer.takeBack() }, "Undo");
    this.clear = element("button", { type: "button", title: "Remove everything drawn", onclick: () => viewer.setRegions([]) }, "Clear");
    const reset = element("button", { type: "button", title: "Whole picture, first window (0, or double click)", onclick: () => viewer.reset() }, "Reset");
    const save = element("button", { type: "button", title: "Save what is shown as PNG, at the image's own size", onclick: () => viewer.save() }, "Save PNG");
    this.full = element("button", { type: "button", title: "Full screen (F)", "aria-label": "Full screen", onclick: () => viewer.fullScreen() }, "Full");
    this.help = element("button", { type: "button", title: "Keys and gestures (?)", "aria-expanded": "false", onclick: () => this.toggleHelp() }, "?");
    this.group = element("div", { class: "group", role: "group", "aria-label": "What dragging does" }, ...Object.values(this.modes));
    this.top = element("div", { class: "bar" }, this.group, this.undo, this.clear, this.windowLabel, this.baked, element("span", { class: "grow" }),
      this.beside, reset, save, this.full, this.help);
    this.map = element("input", { type: "checkbox", onchange: () => change("map", this.map.checked) });
    this.opacity = this.slider("opacity", "Opacity", "How strongly the map covers the slice ( [ and ] )");
    this.threshold = this.slider("threshold", "Threshold", "Hide what is weaker than this share of the colour scale's end (comma and full stop)");
    this.side = element("select", { title: "Which evidence is drawn; for and against are never mixed into one size (E)", onchange: () => change("side", this.side.value) });
    this.sideLabel = element("label", { class: "field" }, "Evidence ", this.side);
    this.colours = element("select", { title: "Colour map, all readable by the colour-blind (K)", onchange: () => viewer.chooseColours(this.colours.value) });
    this.cells = element("input", { type: "checkbox", onchange: () => change("cells", this.cells.checked) });
    this.bottom = element("div", { class: "bar" },
      element("label", { class: "field", title: "Show the heat map (H; hold B to blink)" }, this.map, " Map"), this.opacity.label, this.threshold.label, this.sideLabel,
      element("label", { class: "field", title: "Draw the map in the cells it was computed in (X). Smoothing between them looks precise and is not" }, this.cells, " True cells"));
    this.scales = element("div", { class: "scales" });
    this.coloured = element("div", { class: "bar scaled" }, this.scales, element("label", { class: "field" }, "Colours ", this.colours));
    this.legend = element("div", { class: "legend" });
    this.message = element("div", { class: "message", role: "status" });
    this.list = element("dl", { class: "help", hidden: "", tabindex: "-1", "aria-label": "Keys and gestures" },
      ...KEYS.flatMap(([key, what]) => [element("dt", {}, key), element("dd", {}, what)]),
      element("dt", {}, "Wheel, pinch"), element("dd", {}, "zoom at the pointer"), element("dt", {}, "Right drag"), element("dd", {}, "window level and width (HU)"));
  }

  slider(name, label, title) {
    const input = element("input", { type: "range", min: "0", max: "1", step: "0.01", "aria-label": label, oninput: () => this.viewer.change({ [name]: +input.value }) });
    const value = element("span", { class: "value" });
    return { input, value, label: element("label", { class: "field", title }, `${label} `, input, value) };
  }

  toggleHelp() {
    this.list.hidden = !this.list.hidden;
    this.help.setAttribute("aria-expanded", String(!this.list.hidden));
    if (!this.list.hidden) this.list.focus();
  }

  update() {
    const { viewer } = this, { settings, facts } = viewer, isHu = facts.windows.length > 0;
    for (const [mode, button] of Object.entries(this.modes)) {
      button.setAttribute("aria-pressed", String(settings.mode === mode));
      button.hidden = (mode === "window" && !isHu) || (mode === "draw" && !facts.draw);
    }
    this.undo.hidden = this.clear.hidden = !facts.draw || !viewer.regions.length;
    this.windowLabel.hidden = !isHu;
    this.baked.hidden = isHu;
    const named = facts.windows.some((each) => each.name === settings.window?.name);
    options(this.window, [...facts.windows.map((each) => [each.name, `${each.name} (${Math.round(each.level)} / ${Math.round(each.width)})`]),
      ...(named || !settings.window ? [] : [["free", `free (${Math.round(settings.window.level)} / ${Math.round(settings.window.width)})`]])], named ? settings.window.name : "free");
    this.beside.hidden = !(facts.panes.length === 1 && facts.panes[0].map);
    this.beside.setAttribute("aria-pressed", String(settings.beside));
    const maps = viewer.shownMaps(), first = maps[0];
    this.coloured.hidden = !maps.length;
    this.bottom.hidden = !facts.panes.some((each) => each.map);
    this.map.checked = settings.map;
    this.cells.checked = settings.cells;
    for (const [name, text] of [["opacity", `${Math.round(100 * settings.opacity)} %`], ["threshold", `${Math.round(100 * settings.threshold)} %`]]) {
      this[name].input.value = settings[name];
      this[name].input.setAttribute("aria-valuetext", text);
      this[name].value.textContent = text;
    }
    const sides = first?.sides ?? ["for"], words = { both: "for and against", for: "for the class", against: "against the class" };
    this.sideLabel.hidden = sides.length < 2;
    options(this.side, sides.map((each) => [each, words[each]]), first?.side(settings.side));
    options(this.colours, COLOURS[first?.signed ? "signed" : "oneSided"].map((each) => [each, each.replace("_r", "")]), settings[first?.signed ? "signedColours" : "colours"]);
    const labels = [...new Map(viewer.paneFacts().flatMap((each) => each.contours).map((each) => [each.label, each.colour]))];
    this.legend.hidden = !labels.length;
    this.legend.replaceChildren(...labels.map(([label, colour]) => element("span", {}, element("i", { style: `background:${colour}` }), label)));
    this.paintScales(viewer.scales());
  }

  paintScales(scales) {
    const key = JSON.stringify(scales.map(({ label, low, high, colours }) => [label, low, high, colours]));
    if (this.scalesKey === key) return;
    this.scalesKey = key;
    this.scales.replaceChildren(...scales.map(({ label, low, high, colours }) => {
      const bar = element("canvas", { width: "256", height: "1", "aria-hidden": "true" });
      const pixels = new ImageData(256, 1);
      new Uint32Array(pixels.data.buffer).set(colourTable(colours));
      bar.getContext("2d").putImageData(pixels, 0, 0);
      const ticks = low < 0 ? [low, 0, high] : [low, (low + high) / 2, high];
      return element("div", { class: "scale", role: "img", "aria-label": `Colour scale, ${label}: ${number(low)} to ${number(high)}` },
        element("span", { class: "label" }, label), bar, element("div", { class: "ticks" }, ...ticks.map((each) => element("span", {}, number(each).replace("-", "−")))));
    }));
  }
}

function options(select, wanted, chosen) {
  const key = JSON.stringify(wanted);
  if (select.dataset.key !== key) {
    select.dataset.key = key;
    select.replaceChildren(...wanted.map(([value, text]) => element("option", { value }, text)));
  }
  select.value = chosen;
}
