// Three planes through one volume, all moved in the browser. The server is told of a place to be rated, and of nothing else.
const REMEMBERED = new Map(); // by volume: what the reader set survives a visit to another page

class VolumeViewer {
  constructor(root) {
    Object.assign(this, { root, overlays: [], pointer: null, playing: null, frames: [] });
    this.planes = Object.keys(AXES).map((name) => new Plane(this, name));
    this.bars = new Bars(this);
    this.curve = new Curve(this);
    this.waiting = element("div", { class: "message", role: "status" });
    this.stack = element("div", { class: "planes" }, ...this.planes.map((plane) => plane.root));
    root.replaceChildren(this.waiting, this.bars.top, this.bars.second, this.stack, this.bars.bottom, this.curve.root);
    for (const plane of this.planes) listen(plane);
    this.onNews = () => this.fetch();
    sharedValues().news.addEventListener("change", this.onNews);
    new ResizeObserver(() => this.paint()).observe(root);
  }

  leave() {
    if (this.facts) REMEMBERED.set(this.facts.volume, { cursor: this.cursor, settings: this.settings });
    clearInterval(this.playing);
    sharedValues().news.removeEventListener("change", this.onNews);
  }

  setFacts(facts, tell) {
    const text = JSON.stringify(facts), before = this.facts;
    this.tell = tell;
    if (text === this.text) return this.paint();
    Object.assign(this, { text, facts });
    if (before?.volume !== facts.volume) {
      const known = REMEMBERED.get(facts.volume);
      this.block = null;
      this.load();
      this.settings = known?.settings ?? { window: facts.windows[0], slab: 0, opacity: 0.5, mode: "cross", cross: true, hidden: new Set() };
      this.cursor = known?.cursor ?? facts.start.slice();
      for (const plane of this.planes) Object.assign(plane, { view: { x: 0.5, y: 0.5, zoom: 1 }, ruler: null });
    } else if (facts.jump && facts.jump.n !== before.jump?.n) this.cursor = facts.jump.at.slice();
    this.fetch();
  }

  async load() {
    const { volume, voxels, spacing, shear } = this.facts;
    const isAwaited = () => this.facts.volume === volume;
    const say = (words) => { if (isAwaited() && this.waiting.textContent !== words) this.waiting.textContent = words; };
    say("The volume is on its way to the browser …");
    try {
      const fetched = await fetchVoxels(voxels, (share) => say(`The volume is on its way to the browser: ${10 * Math.floor(10 * share)} %`));
      if (!isAwaited()) return;
      this.block = new Block(fetched, { spacing, shear, anyShear: shear.some((each) => Math.abs(each) > 0.01) });
      this.fetch();
    } catch (error) {
      say(`The volume did not reach the browser (${error.message}). Reload the page, and open the series again.`);
    }
  }

  fetch() {
    if (!this.facts) return;
    const { byId } = sharedValues(), { facts } = this;
    const known = new Map(this.overlays.map((each) => [each.id, each]));
    this.overlays = facts.overlays.filter((id) => byId.has(id)).map((id) => known.get(id) ?? new Overlay(byId.get(id)));
    const ready = !!this.block;
    this.waiting.hidden = ready;
    for (const part of [this.bars.top, this.bars.bottom, this.stack]) part.hidden = !ready;
    if (ready) this.bars.setFacts();
    this.paint();
  }

  paint() {
    if (this.frame || !this.block) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = null;
      if (!this.root.isConnected || !this.block) return;
      const began = performance.now();
      this.stack.style.setProperty("--axial", `${this.block.size("axial").height * this.block.spacing[1] / (this.block.size("axial").width * this.block.spacing[2])}`);
      for (const plane of this.planes) plane.paint();
      this.bars.paint();
      this.curve.paint();
      this.frames.push(performance.now() - began);
      if (this.frames.length > 200) this.frames.shift();
      this.root.dataset.painted = String(+(this.root.dataset.painted ?? 0) + 1);
      this.root.dataset.slice = String(Math.floor(this.cursor[0]) + 1);
    });
  }

  limits() { return [this.block.n, this.block.rows, this.block.columns]; }

  setCursor(place) {
    this.cursor = place.map((each, axis) => Math.min(Math.max(each, 0), this.limits()[axis] - 1e-3));
    this.paint();
  }

  goTo(axis, index) {
    const place = this.cursor.slice();
    place[axis] = Math.min(Math.max(index, 0), this.limits()[axis] - 1) + 0.5;
    if (axis === 0) for (const side of [1, 2]) place[side] += this.block.shift(side, Math.floor(this.cursor[0])) - this.block.shift(side, Math.floor(place[0]));
    this.setCursor(place);
  }

  step(axis, by) { this.goTo(axis, Math.floor(this.cursor[axis]) + by); }
  change(what) { Object.assign(this.settings, what); this.paint(); }
  setMode(mode) { this.change({ mode }); for (const { canvas } of this.planes) canvas.style.cursor = mode === "pan" ? "grab" : "crosshair"; }
  toggleAll() { const { hidden } = this.settings; if (hidden.size) hidden.clear(); else this.overlays.forEach((each) => hidden.add(each.id)); this.bars.setFacts(); this.paint(); }

  moveWindow(dx, dy) {
    const { level, width } = this.settings.window, speed = Math.max(width / 400, 0.5);
    this.change({ window: { name: "free", level: Math.round(level - dy * speed), width: Math.max(Math.round(width + dx * speed), 1) } });
  }

  cine() {
    if (this.playing) { clearInterval(this.playing); this.playing = null; return this.paint(); }
    this.playing = setInterval(() => this.root.isConnected ? this.goTo(0, (Math.floor(this.cursor[0]) + 1) % this.block.n) : clearInterval(this.playing), 80);
    this.paint();
  }

  reset() {
    for (const plane of this.planes) Object.assign(plane, { view: { x: 0.5, y: 0.5, zoom: 1 }, ruler: null });
    this.change({ window: this.facts.windows[0], slab: 0 });
  }

  // Patient millimetres of a place; affine speaks of voxels' middles.
  mm(place) { return [0, 1, 2].map((i) => this.facts.affine[i][3] + [0, 1, 2].reduce((sum, axis) => sum + this.facts.affine[i][axis] * (place[axis] - 0.5), 0)); }

  rate() { this.tell("rated", { volume: this.facts.volume, point: this.mm(this.cursor).map((each) => +each.toFixed(2)), n: Date.now() }); }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".volume");
  root.lungcadVolume ??= new VolumeViewer(root);
  root.lungcadVolume.setFacts(unpack(data), setStateValue);
  return () => setTimeout(() => { // Streamlit also calls this for a run that a newer one overtook, while the viewer stays
    if (root.isConnected) return;
    root.lungcadVolume?.leave();
    root.lungcadVolume = null;
  });
}
