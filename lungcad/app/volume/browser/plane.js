// One plane on screen: its picture, what lies over it, crosshair, ruler, sides of the patient.
const SIDES = { axial: ["A", "L", "P", "R"], coronal: ["H", "L", "F", "R"], sagittal: ["H", "P", "F", "A"] }; // top, right, bottom, left
const INK = "#ffffff", HALO = "rgba(0, 0, 0, .65)", MARK = "#ffd400", CROSS = "#56b4e9";

class Plane {
  constructor(viewer, name) {
    Object.assign(this, { viewer, name, view: { x: 0.5, y: 0.5, zoom: 1 }, ruler: null });
    this.canvas = element("canvas", { tabindex: "0", role: "application", "aria-roledescription": `${name} slice` });
    this.root = element("div", { class: `plane ${name}` }, this.canvas);
  }

  get size() { return this.viewer.block.size(this.name); }
  get width() { return this.canvas.clientWidth; }
  get height() { return this.canvas.clientHeight; }
  get scale() { const { width, height, x, y } = this.size; return Math.min(this.width / (width * x), this.height / (height * y)) * this.view.zoom; }

  toScreen([x, y]) {
    const { size, view, scale } = this;
    return [this.width / 2 + (x - view.x * size.width) * size.x * scale, this.height / 2 + (y - view.y * size.height) * size.y * scale];
  }

  toPicture([x, y]) {
    const { size, view, scale } = this;
    return [view.x * size.width + (x - this.width / 2) / (size.x * scale), view.y * size.height + (y - this.height / 2) / (size.y * scale)];
  }

  place(screen) { return this.viewer.block.toPlace(this.name, this.toPicture(screen), this.viewer.cursor); }

  zoom(factor, at) {
    const before = this.toPicture(at), { view, size } = this;
    view.zoom = Math.min(Math.max(view.zoom * factor, 1), 30);
    const after = this.toPicture(at);
    this.centre(view.x + (before[0] - after[0]) / size.width, view.y + (before[1] - after[1]) / size.height);
  }

  pan(dx, dy) {
    const { view, size, scale } = this;
    this.centre(view.x - dx / (size.width * size.x * scale), view.y - dy / (size.height * size.y * scale));
  }

  centre(x, y) {
    const least = 0.5 / this.view.zoom;
    Object.assign(this.view, { x: Math.min(Math.max(x, least), 1 - least), y: Math.min(Math.max(y, least), 1 - least) });
    this.viewer.paint();
  }

  paint() {
    const { canvas, viewer, size } = this, ratio = devicePixelRatio || 1, { block, cursor, settings } = viewer;
    if (!this.width || !this.height) return;
    const [wide, high] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.width, this.height);
    const [left, top] = this.toScreen([0, 0]), [right, bottom] = this.toScreen([size.width, size.height]);
    const draw = (layer) => context.drawImage(layer, left, top, right - left, bottom - top);
    context.imageSmoothingEnabled = this.scale * Math.min(size.x, size.y) < 6;
    draw(block.layer(this.name, cursor, settings.window, settings.slab));
    for (const overlay of viewer.overlays) {
      if (settings.hidden.has(overlay.id)) continue;
      context.globalAlpha = settings.opacity;
      draw(overlay.layer(block, this.name, cursor));
      context.globalAlpha = 1;
    }
    for (const place of viewer.facts.places) this.paintPlace(context, place);
    if (settings.cross) this.paintCross(context);
    if (this.ruler) this.paintRuler(context);
    this.paintSides(context);
    this.paintScale(context);
    canvas.setAttribute("aria-label", `${this.name} slice ${this.index + 1} of ${this.count}. Up and down arrow change it.`);
  }

  get index() { return Math.floor(this.viewer.cursor[AXES[this.name]]); }
  get count() { const { block } = this.viewer; return [block.n, block.rows, block.columns][AXES[this.name]]; }

  stroke(context, colour, width = 1.5) {
    for (const [style, thick] of [[HALO, width + 2], [colour, width]]) Object.assign(context, { strokeStyle: style, lineWidth: thick }), context.stroke();
  }

  text(context, words, x, y, align = "left", colour = INK) {
    Object.assign(context, { font: "600 12px sans-serif", textAlign: align, lineWidth: 3, strokeStyle: HALO, lineJoin: "round" });
    context.strokeText(words, x, y);
    context.fillStyle = colour;
    context.fillText(words, x, y);
    context.textAlign = "left";
  }

  paintCross(context) {
    const [x, y] = this.toScreen(this.viewer.block.toPicture(this.name, this.viewer.cursor)), gap = 14;
    context.beginPath();
    for (const [a, b] of [[0, x - gap], [x + gap, this.width]]) context.moveTo(a, y), context.lineTo(b, y);
    for (const [a, b] of [[0, y - gap], [y + gap, this.height]]) context.moveTo(x, a), context.lineTo(x, b);
    context.globalAlpha = 0.8;
    this.stroke(context, CROSS, 1);
    context.globalAlpha = 1;
  }

  paintPlace(context, { at, diameter, label, colour }) {
    const axis = AXES[this.name], reach = Math.max(diameter / 2, this.viewer.block.spacing[axis]);
    const off = Math.abs(at[axis] - this.viewer.cursor[axis]) * this.viewer.block.spacing[axis];
    if (off > reach) return;
    const [x, y] = this.toScreen(this.viewer.block.toPicture(this.name, at)), radius = Math.max((diameter / 2) * this.scale, 9) + 3;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    this.stroke(context, colour);
    this.text(context, label, x + radius * 0.75, y - radius * 0.75, "left", colour);
  }

  paintRuler(context) {
    const [from, to] = [this.ruler.from, this.ruler.to].map((point) => this.toScreen(point)), { size } = this;
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    this.stroke(context, MARK, 2);
    this.text(context, `${this.length().toFixed(1)} mm`, Math.min(to[0] + 8, this.width - 64), Math.max(to[1] - 8, 14), "left", MARK);
  }

  length() {
    const { from, to } = this.ruler, { size } = this;
    return Math.hypot((to[0] - from[0]) * size.x, (to[1] - from[1]) * size.y);
  }

  paintSides(context) {
    const [top, right, bottom, left] = SIDES[this.name], { width, height } = this;
    this.text(context, top, width / 2, width < 260 ? 34 : 16, "center");
    this.text(context, bottom, width / 2, height - 6, "center");
    this.text(context, left, 6, height / 2 + 4);
    this.text(context, right, width - 6, height / 2 + 4, "right");
    const slab = this.viewer.settings.slab > this.viewer.block.spacing[AXES[this.name]] ? `, ${this.viewer.settings.slab} mm MIP` : "";
    this.text(context, `${this.name} ${this.index + 1}/${this.count}${slab}`, 6, 16);
  }

  paintScale(context) {
    const most = Math.min(this.width * 0.3, 140) / this.scale, length = [100, 50, 20, 10, 5, 2, 1].find((each) => each <= most) ?? 1;
    const x = 8, y = this.height - 10;
    context.beginPath();
    context.moveTo(x, y - 5), context.lineTo(x, y), context.lineTo(x + length * this.scale, y), context.lineTo(x + length * this.scale, y - 5);
    this.stroke(context, INK, 2);
    this.text(context, `${length} mm`, x + 4, y - 8);
  }
}
