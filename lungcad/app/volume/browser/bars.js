// The controls above and below the pictures. Nothing of them is sent to the server but the place to be rated.
const MODES = {
  cross: ["Crosshair", "Click or drag: all three planes go to that place (X)"],
  pan: ["Pan", "Drag moves the picture (M; or the middle button, or with Shift)"],
  window: ["Window", "Drag sideways: width; up and down: level (G; or the right button)"],
  ruler: ["Ruler", "Drag measures a length in mm (R)"],
};
const HELP = "Wheel, arrows: slices · Page up and down: ten · Ctrl and wheel, pinch, + and −: zoom · double click: whole picture · 1–5: windows · " +
  "C or blank: play · H: overlays · right button: window · Shift or middle button: pan · 0: as at first";

class Bars {
  constructor(viewer) {
    this.viewer = viewer;
    this.modes = Object.entries(MODES).map(([mode, [words, help]]) => element("button", { type: "button", title: help, "data-mode": mode, onclick: () => viewer.setMode(mode) }, words));
    this.windows = element("select", { title: "Window preset (1 to 5)", "aria-label": "Window", onchange: (event) => { const found = viewer.facts.windows.find((each) => each.name === event.target.value); if (found) viewer.change({ window: found }); } });
    this.play = element("button", { type: "button", title: "Play through the axial slices (C)", onclick: () => viewer.cine() }, "Play");
    this.slab = element("select", { title: "Maximum-intensity slab: the brightest voxel within so many mm", "aria-label": "Slab", onchange: (event) => viewer.change({ slab: +event.target.value }) },
      ...[0, 5, 10, 20, 40].map((mm) => element("option", { value: String(mm) }, mm ? `MIP ${mm} mm` : "no slab")));
    this.opacity = element("input", { type: "range", min: "0", max: "1", step: "0.05", value: "0.5", "aria-label": "Opacity of overlays", title: "Opacity of what lies over the CT", oninput: (event) => viewer.change({ opacity: +event.target.value }) });
    this.overlays = element("span", { class: "field" });
    this.places = element("select", { title: "Go to a position that the network found suspicious, or that readers marked", "aria-label": "Go to", onchange: (event) => { const place = viewer.facts.places[+event.target.value]; if (place) viewer.setCursor(place.at); event.target.value = ""; } });
    this.rate = element("button", { type: "button", title: "The nodule networks rate the place under the crosshair", onclick: () => viewer.rate() }, "Rate this place");
    this.reset = element("button", { type: "button", title: "Window, zoom and slab as at first (0)", onclick: () => viewer.reset() }, "Reset");
    this.slider = element("input", { type: "range", min: "1", class: "slices", "aria-label": "Axial slice", title: "Axial slice", oninput: (event) => viewer.goTo(0, +event.target.value - 1) });
    this.readout = element("output", { class: "readout" });
    this.top = element("div", { class: "bar" }, element("span", { class: "group" }, ...this.modes), this.windows, this.slab, this.play, this.reset);
    this.second = element("div", { class: "bar" }, this.places, this.rate, this.overlays, element("label", { class: "field" }, "Opacity", this.opacity));
    this.bottom = element("div", {}, this.slider, this.readout, element("div", { class: "quiet keys" }, HELP));
  }

  setFacts() {
    const { facts, overlays, settings } = this.viewer;
    this.windows.replaceChildren(...facts.windows.map((each) => element("option", { value: each.name }, `${each.name} ${String(each.level).replace("-", "−")}/${each.width}`)), element("option", { value: "free", hidden: "" }, "free"));
    this.overlays.replaceChildren(...overlays.map((overlay) => {
      const box = element("input", { type: "checkbox", onchange: (event) => { settings.hidden[event.target.checked ? "delete" : "add"](overlay.id); this.viewer.paint(); } });
      box.checked = !settings.hidden.has(overlay.id);
      return element("label", { class: "field" }, box, element("i", { style: `background:${overlay.kind === "heat" ? "linear-gradient(90deg,#440154,#21918c,#fde725)" : overlay.colour}` }), overlay.label);
    }));
    this.places.replaceChildren(element("option", { value: "" }, facts.places.length ? "Go to …" : "No positions yet"), ...facts.places.map((place, i) => element("option", { value: String(i) }, place.text)));
    this.places.hidden = !facts.places.length;
    this.rate.hidden = !facts.rates;
    this.second.hidden = this.places.hidden && this.rate.hidden && !overlays.length;
  }

  paint() {
    const { viewer } = this, { settings, block, cursor, facts } = viewer;
    for (const button of this.modes) button.setAttribute("aria-pressed", String(button.dataset.mode === settings.mode));
    this.windows.value = facts.windows.some((each) => each.name === settings.window.name) ? settings.window.name : "free";
    this.slab.value = String(settings.slab);
    this.play.textContent = viewer.playing ? "Stop" : "Play";
    this.opacity.value = String(settings.opacity);
    this.slider.max = String(block.n);
    this.slider.value = String(Math.floor(cursor[0]) + 1);
    const place = viewer.pointer?.place ?? cursor, value = block.at(place);
    const [x, y, z] = viewer.mm(place).map((each) => each.toFixed(1).replace("-", "−"));
    const heat = viewer.overlays.find((each) => each.kind === "heat" && !settings.hidden.has(each.id)), warmth = heat?.heat(place);
    this.readout.textContent = [
      `slice ${Math.floor(place[0]) + 1}, row ${Math.floor(place[1])}, column ${Math.floor(place[2])}`, `${x}, ${y}, ${z} mm`,
      value === null ? "outside" : `${viewer.facts.reduced ? "≈ " : ""}${value} HU`.replace("-", "−"),
      ...(Number.isFinite(warmth) ? [`map ${warmth.toPrecision(3)}`.replace("-", "−")] : []),
      `window ${Math.round(settings.window.level)} / ${Math.round(settings.window.width)} HU`.replace("-", "−"),
    ].join(" · ");
  }
}
