// One viewer: what all its panes share. Python is told of drawn regions only.
const FIRST = { map: true, opacity: 0.5, threshold: 0.2, cells: false, side: "", colours: "viridis", signedColours: "RdBu_r", window: null, mode: "move", beside: false };
const REMEMBERED = new Map(); // settings by key: they survive a visit to another page
const NARROW = 300; // CSS pixels below which panes stand under each other
const SMALL = 170; // the same where the page asks for so many columns

class Viewer {
  constructor(root, key) {
    this.root = root;
    this.key = key;
    this.view = { x: 0.5, y: 0.5, zoom: 1 };
    this.pictures = new Map();
    this.maps = new Map();
    this.layers = new Map();
    this.panes = [];
    this.regions = [];
    this.controls = new Controls(this);
    this.stack = element("div", { class: "panes" });
    this.live = element("div", { class: "live", "aria-live": "polite" });
    const { top, bottom, coloured, legend, message, list } = this.controls;
    root.replaceChildren(message, top, list, this.stack, legend, coloured, bottom, this.live);
    this.onNews = () => this.fetch();
    sharedValues().news.addEventListener("change", this.onNews);
    this.observer = new ResizeObserver(() => this.layout());
    this.observer.observe(root);
    this.onFull = () => this.layout();
    document.addEventListener("fullscreenchange", this.onFull);
  }

  leave() {
    REMEMBERED.set(this.key, this.settings);
    sharedValues().news.removeEventListener("change", this.onNews);
    document.removeEventListener("fullscreenchange", this.onFull);
    this.observer.disconnect();
  }

  setFacts(facts, tell) {
    const before = this.facts, text = JSON.stringify(facts);
    this.tell = tell;
    if (this.text === text) return this.paint(); // the theme may have changed
    this.text = text;
    this.facts = facts;
    this.settings ??= this.firstSettings();
    if (before?.panes[0].image !== facts.panes[0].image) {
      Object.assign(this, { view: { x: 0.5, y: 0.5, zoom: 1 }, stroke: null, ruler: null, cursor: null });
      this.regions = facts.regions.map((region) => region.map((point) => point.map((each) => each + 0.5))); // what Python holds for this image
      this.drawnImage = facts.panes[0].image;
    }
    if (facts.draw && !before?.draw) this.settings.mode = "draw";
    if (!facts.draw && this.settings.mode === "draw") this.settings.mode = "move";
    const { window } = this.settings, same = facts.windows.find((each) => each.name === window?.name);
    if (same || !window || !facts.windows.length || window.name !== "free") this.settings.window = same ?? facts.windows[0] ?? null;
    this.fetch();
    this.layout();
  }

  firstSettings() {
    const settings = { ...FIRST, beside: this.facts.beside, ...REMEMBERED.get(this.key) };
    if (!this.facts.link) return settings;
    const query = new URLSearchParams(location.search), unknown = [];
    const take = (name, read) => {
      if (!query.has(name)) return;
      const value = read(query.get(name));
      if (value === undefined) unknown.push(name);
      else settings[name] = value;
    };
    const share = (text) => (text !== "" && +text >= 0 && +text <= 1 ? +text : undefined);
    take("opacity", share);
    take("threshold", share);
    take("cells", (text) => ({ True: true, False: false })[text]);
    take("side", (text) => (["both", "for", "against"].includes(text) ? text : undefined));
    take("colours", (text) => (COLOURS.oneSided.includes(text) ? text : undefined));
    if (this.facts.windows.length) {
      take("window", (text) => text === "free" ? this.freeWindow(query) : this.facts.windows.find((each) => each.name === text));
    }
    this.controls.message.textContent = unknown.length ? `The link asks for an unknown ${unknown.join(" and ")}; the usual is shown.` : "";
    return settings;
  }

  freeWindow(query) {
    const level = query.has("level") ? +query.get("level") : -600, width = query.has("width") ? +query.get("width") : 1500;
    return Number.isFinite(level) && width >= 1 && Number.isFinite(width) ? { name: "free", level, width } : undefined;
  }

  // Into the page's link, which does not name what is as usual; the server learns of it with its next run.
  keepInLink() {
    if (!this.facts.link) return;
    clearTimeout(this.linking);
    this.linking = setTimeout(() => {
      const url = new URL(location.href), { settings } = this, { window } = settings;
      const put = (name, value, usual) => (value === null || value === usual ? url.searchParams.delete(name) : url.searchParams.set(name, value));
      put("opacity", String(+settings.opacity.toFixed(2)), "0.5");
      put("threshold", String(+settings.threshold.toFixed(2)), "0.2");
      put("cells", settings.cells ? "True" : null);
      put("side", settings.side || null);
      put("colours", settings.colours, FIRST.colours);
      if (this.facts.windows.length) {
        put("window", window.name, this.facts.windows[0].name);
        put("level", window.name === "free" ? String(Math.round(window.level)) : null);
        put("width", window.name === "free" ? String(Math.round(window.width)) : null);
      }
      if (url.href !== location.href) history.replaceState(history.state, "", url);
    }, 300);
  }

  paneFacts() {
    const { panes } = this.facts;
    return panes.length === 1 && panes[0].map && this.settings.beside ? [{ ...panes[0], map: null, title: "slice" }, panes[0]] : panes;
  }

  fetch() {
    if (!this.facts) return;
    const { byId } = sharedValues(), images = new Set(), maps = new Set();
    for (const facts of this.facts.panes) {
      images.add(facts.image);
      if (byId.has(facts.image) && !this.pictures.has(facts.image)) this.pictures.set(facts.image, new Picture(byId.get(facts.image)));
      const key = `${facts.map} ${facts.image}`;
      maps.add(key);
      if (facts.map && byId.has(facts.map) && !this.maps.has(key)) this.maps.set(key, new HeatMap(byId.get(facts.map), facts.rows, facts.columns));
    }
    for (const id of this.pictures.keys()) if (!images.has(id)) this.pictures.delete(id);
    for (const key of this.maps.keys()) if (!maps.has(key)) this.maps.delete(key);
    this.paint();
  }

  layout() {
    if (!this.facts) return;
    const wanted = this.paneFacts(), width = this.root.clientWidth;
    if (!width) return;
    while (this.panes.length > wanted.length) this.panes.pop().root.remove();
    while (this.panes.length < wanted.length) {
      const pane = new Pane(this);
      this.panes.push(pane);
      this.stack.append(pane.root);
      listen(pane);
      listenToKeys(pane);
    }
    const { columns } = this.facts, gap = 8, fitting = Math.floor((width + gap) / ((columns ? SMALL : NARROW) + gap));
    const across = Math.max(1, Math.min(wanted.length, columns ?? wanted.length, fitting));
    const each = (width - gap * (across - 1)) / across, rows = Math.ceil(wanted.length / across);
    const full = document.fullscreenElement === this.root.getRootNode().host;
    const room = full ? (innerHeight - 150) / rows - 48 : this.facts.height;
    this.stack.style.gridTemplateColumns = `repeat(${across}, minmax(0, 1fr))`;
    wanted.forEach((facts, i) => {
      this.panes[i].setFacts(facts);
      const tall = across === 1 && wanted.length === 1 && width >= 500 && !full ? room : Math.min(room, each * this.panes[i].aspect);
      this.panes[i].canvas.style.height = `${Math.round(tall)}px`;
    });
    this.paint();
  }

  paint() {
    if (this.frame || !this.facts) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      if (!this.root.isConnected) return;
      this.controls.update();
      for (const pane of this.panes) pane.paint();
      this.root.dataset.painted = String(+(this.root.dataset.painted ?? 0) + 1);
    });
  }

  shownMaps() { return this.panes.filter((pane) => pane.facts).map((pane) => pane.map()).filter(Boolean); }

  // A colour scale for each label: over all maps that bear it.
  scales() {
    const found = new Map();
    for (const map of this.shownMaps()) {
      const side = map.side(this.settings.side), known = found.get(map.label) ?? { label: map.label, low: 0, high: 0, colours: this.settings[map.signed ? "signedColours" : "colours"] };
      known.high = Math.max(known.high, map.limits ? map.limits[1] : map.extent(side));
      known.low = map.limits ? map.limits[0] : map.signed ? -known.high : 0;
      found.set(map.label, known);
    }
    return [...found.values()].filter((each) => each.high > each.low);
  }

  mapLayer(map) {
    const { settings } = this, side = map.side(settings.side), scale = this.scales().find((each) => each.label === map.label);
    const key = JSON.stringify([settings.cells, settings.threshold, side, scale]), known = this.layers.get(map);
    if (known?.key === key) return known.canvas;
    const table = colourTable(scale?.colours ?? "viridis");
    const canvas = map.layer({ ...settings, table }, side, scale?.low ?? 0, scale?.high ?? 1);
    for (const old of this.layers.keys()) if (![...this.maps.values()].includes(old)) this.layers.delete(old);
    this.layers.set(map, { key, canvas });
    return canvas;
  }

  change(what) {
    Object.assign(this.settings, what);
    this.keepInLink();
    if ("beside" in what) this.layout();
    this.paint();
  }

  step(name, by) { this.change({ [name]: +Math.min(Math.max(this.settings[name] + by, 0), 1).toFixed(2) }); }
  setMode(mode) { this.change({ mode }); if (mode !== "ruler") this.ruler = null; if (mode !== "draw") this.stroke = null; }
  blink(hidden) { if (!!this.blinking !== hidden) { this.blinking = hidden; this.paint(); } }
  chooseWindow(name) { const found = this.facts.windows.find((each) => each.name === name); if (found) this.change({ window: found }); }
  chooseColours(name) { this.change({ [COLOURS.signed.includes(name) ? "signedColours" : "colours"]: name }); }

  nextColours() {
    const signed = this.shownMaps()[0]?.signed, all = COLOURS[signed ? "signed" : "oneSided"], now = this.settings[signed ? "signedColours" : "colours"];
    this.chooseColours(all[(all.indexOf(now) + 1) % all.length]);
  }

  nextSide() {
    const map = this.shownMaps()[0];
    if (map) this.change({ side: map.sides[(map.sides.indexOf(map.side(this.settings.side)) + 1) % map.sides.length] });
  }

  moveWindow(dx, dy) {
    const { level, width } = this.settings.window, speed = Math.max(width / 400, 0.5);
    this.change({ window: { name: "free", level: Math.round(level - dy * speed), width: Math.max(Math.round(width + dx * speed), 1) } });
  }

  zoom(pane, factor, at) {
    const fixed = pane.toShare(pane.toImage(at)), { view } = this;
    view.zoom = Math.min(Math.max(view.zoom * factor, 1), 60);
    const now = pane.toShare(pane.toImage(at));
    this.centre(view.x + fixed[0] - now[0], view.y + fixed[1] - now[1]);
  }

  pan(pane, dx, dy) {
    const { columns, rows } = pane.facts, { view } = this;
    this.centre(view.x - dx / (columns * pane.pixel.x * pane.scale), view.y - dy / (rows * pane.pixel.y * pane.scale));
  }

  // The middle of the screen stays on the picture; a whole picture stays in the middle.
  centre(x, y) {
    const least = 0.5 / this.view.zoom;
    Object.assign(this.view, { x: Math.min(Math.max(x, least), 1 - least), y: Math.min(Math.max(y, least), 1 - least) });
    for (const { canvas } of this.panes) canvas.style.touchAction = this.view.zoom > 1 || this.settings.mode !== "move" ? "none" : "pan-y";
    this.paint();
  }

  reset() {
    this.view.zoom = 1;
    this.centre(0.5, 0.5);
    this.ruler = null;
    if (this.facts.windows.length) this.change({ window: this.facts.windows[0] });
  }

  setPoint(pane, point) {
    if (this.settings.mode === "draw") (this.stroke ??= []).push(point);
    if (this.settings.mode !== "ruler") return;
    const share = pane.toShare(point);
    this.ruler = this.ruler?.open ? { from: this.ruler.from, to: share } : { from: share, to: share, open: true };
  }

  closeStroke(pane) {
    const points = this.stroke;
    this.stroke = null;
    const [width, height] = [0, 1].map((axis) => Math.max(...points.map((each) => each[axis])) - Math.min(...points.map((each) => each[axis])));
    if (points.length >= 3 && width >= 1 && height >= 1) this.setRegions([...this.regions, points]); // a click is no region
    else this.paint();
  }

  takeBack() {
    if (this.stroke?.length) this.stroke = this.stroke.slice(0, -1);
    else if (this.regions.length) this.setRegions(this.regions.slice(0, -1));
    this.paint();
  }

  escape() { this.stroke = this.ruler = null; this.controls.list.hidden = true; this.setMode("move"); }

  setRegions(regions) {
    this.regions = regions;
    const points = regions.map((region) => region.map((point) => point.map((each) => +(each - 0.5).toFixed(2))));
    this.tell("drawn", { image: this.drawnImage, regions: points });
    this.paint();
  }

  announceCursor(pane) { requestAnimationFrame(() => { this.live.textContent = pane.readout.textContent; }); }

  fullScreen() {
    const { host } = this.root.getRootNode();
    if (document.fullscreenElement) document.exitFullscreen();
    else host.requestFullscreen?.();
  }

  async save() {
    const shown = this.panes.filter((pane) => this.pictures.has(pane.facts.image));
    for (const [i, pane] of shown.entries()) await savePane(pane, this.facts.name + (shown.length > 1 ? `-${i + 1}` : ""));
  }
}

export default function ({ data, parentElement, key, setStateValue }) {
  const facts = unpack(data), root = parentElement.querySelector(".viewer");
  root.lungcadViewer ??= new Viewer(root, facts.key);
  root.lungcadViewer.setFacts(facts, setStateValue);
  return () => setTimeout(() => { // Streamlit also calls this for a run that a newer one overtook, while the viewer stays
    if (root.isConnected) return;
    root.lungcadViewer?.leave();
    root.lungcadViewer = null;
  });
}
