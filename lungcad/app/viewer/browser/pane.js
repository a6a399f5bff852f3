// One picture: its place on screen, and everything painted on it. Points are in image pixels, (0, 0) the outer corner of the first pixel.
const HALO = "rgba(0, 0, 0, .65)", INK = "#ffffff", MARK = "#ffd400";

class Pane {
  constructor(viewer) {
    this.viewer = viewer;
    this.root = element("figure", { class: "pane" });
    this.title = element("figcaption", { class: "title" });
    this.stage = element("div", { class: "stage" });
    this.canvas = element("canvas", { tabindex: "0", role: "application", "aria-roledescription": "picture viewer" });
    this.note = element("div", { class: "note" });
    this.readout = element("output", { class: "readout" });
    this.stage.append(this.canvas, this.note);
    this.root.append(this.title, this.stage, this.readout);
  }

  get pixel() { return this.facts.spacing ? { x: this.facts.spacing[1], y: this.facts.spacing[0] } : { x: 1, y: this.facts.aspect }; }
  get unit() { return this.facts.spacing ? "mm" : "px"; }
  get width() { return this.canvas.clientWidth; }
  get height() { return this.canvas.clientHeight; }
  get aspect() { return (this.facts.rows * this.pixel.y) / (this.facts.columns * this.pixel.x); }

  // CSS pixels per millimetre (per pixel where no spacing is known).
  get scale() {
    const { columns, rows } = this.facts;
    return Math.min(this.width / (columns * this.pixel.x), this.height / (rows * this.pixel.y)) * this.viewer.view.zoom;
  }

  toScreen([x, y]) {
    const { view } = this.viewer, { columns, rows } = this.facts;
    return [this.width / 2 + (x - view.x * columns) * this.pixel.x * this.scale, this.height / 2 + (y - view.y * rows) * this.pixel.y * this.scale];
  }

  toImage([x, y]) {
    const { view } = this.viewer, { columns, rows } = this.facts;
    return [view.x * columns + (x - this.width / 2) / (this.pixel.x * this.scale), view.y * rows + (y - this.height / 2) / (this.pixel.y * this.scale)];
  }

  inside([x, y]) { return x >= 0 && y >= 0 && x < this.facts.columns && y < this.facts.rows; }

  setFacts(facts) {
    this.facts = facts;
    this.title.textContent = facts.title;
    this.title.hidden = !facts.title;
  }

  paint() {
    const { viewer, canvas, facts } = this, { settings } = viewer, ratio = devicePixelRatio || 1;
    if (!this.width || !this.height) return;
    const [width, height] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const picture = viewer.pictures.get(facts.image);
    if (picture) {
      const [left, top] = this.toScreen([0, 0]), [right, bottom] = this.toScreen([facts.columns, facts.rows]);
      context.imageSmoothingEnabled = this.scale * Math.max(this.pixel.x, this.pixel.y) < 6; // further in, pixels are seen as they are
      context.imageSmoothingQuality = "high";
      context.drawImage(picture.layer(settings.window), left, top, right - left, bottom - top);
      const map = this.map();
      if (map && settings.map && !viewer.blinking) {
        context.globalAlpha = settings.opacity;
        if (settings.cells) context.imageSmoothingEnabled = false;
        context.drawImage(viewer.mapLayer(map), left, top, right - left, bottom - top);
        context.globalAlpha = 1;
      }
    }
    for (const { points, colour } of facts.contours) this.line(context, points.map(([x, y]) => [x + 0.5, y + 0.5]), colour, true);
    if (viewer.facts.draw && facts.image === viewer.drawnImage) {
      for (const region of viewer.regions) this.line(context, region, MARK, true, true);
      if (viewer.stroke) this.line(context, viewer.stroke, MARK, false);
    }
    if (viewer.ruler) this.paintRuler(context, viewer.ruler);
    if (viewer.cursor) this.paintCursor(context, viewer.cursor);
    this.paintScaleBar(context);
    if (this.map()?.mark) this.text(context, this.map().mark, 8, 16);
    this.say(picture);
  }

  map() { return this.facts.map ? this.viewer.maps.get(`${this.facts.map} ${this.facts.image}`) : null; }

  line(context, points, colour, closed, filled = false) {
    if (points.length < 1) return;
    context.beginPath();
    for (const point of points) context.lineTo(...this.toScreen(point));
    if (closed) context.closePath();
    if (filled) {
      context.fillStyle = "rgba(255, 212, 0, .14)";
      context.fill();
    }
    context.lineJoin = "round";
    for (const [style, width] of [[HALO, 4], [colour, 2]]) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.stroke();
    }
  }

  paintRuler(context, { from, to }) {
    const [first, second] = [from, to].map((share) => this.ofShare(share));
    this.line(context, [first, second], MARK, false);
    for (const end of [first, second]) {
      const [x, y] = this.toScreen(end);
      context.fillStyle = MARK;
      context.fillRect(x - 2.5, y - 2.5, 5, 5);
    }
    const [x, y] = this.toScreen(second);
    this.text(context, this.length(first, second), Math.min(x + 8, this.width - 70), Math.max(y - 8, 14));
  }

  length([x1, y1], [x2, y2]) {
    return `${Math.hypot((x2 - x1) * this.pixel.x, (y2 - y1) * this.pixel.y).toFixed(1)} ${this.unit}`;
  }

  // A place as a share of the picture, the same in every pane.
  toShare([x, y]) { return [x / this.facts.columns, y / this.facts.rows]; }
  ofShare([x, y]) { return [x * this.facts.columns, y * this.facts.rows]; }

  paintCursor(context, { share, pane, byKey }) {
    if (pane === this && !byKey) return;
    const [x, y] = this.toScreen(this.ofShare(share));
    context.beginPath();
    for (const [a, b] of [[-11, -4], [4, 11]]) {
      context.moveTo(x + a, y); context.lineTo(x + b, y);
      context.moveTo(x, y + a); context.lineTo(x, y + b);
    }
    for (const [style, width] of [[HALO, 3.5], [INK, 1.5]]) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.stroke();
    }
  }

  paintScaleBar(context) {
    const most = Math.min(this.width * 0.3, 160) / this.scale, power = 10 ** Math.floor(Math.log10(most));
    const length = [5, 2, 1].map((n) => n * power).find((n) => n <= most), x = 10, y = this.height - 12;
    const wide = length * this.scale;
    context.beginPath();
    context.moveTo(x, y - 5); context.lineTo(x, y); context.lineTo(x + wide, y); context.lineTo(x + wide, y - 5);
    for (const [style, width] of [[HALO, 4.5], [INK, 2]]) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.stroke();
    }
    this.text(context, `${+length.toPrecision(3)} ${this.unit}`, x + 4, y - 8);
    this.scaleBar = { length, pixels: wide, unit: this.unit };
  }

  text(context, text, x, y) {
    context.font = "600 12px sans-serif";
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.strokeStyle = HALO;
    context.strokeText(text, x, y);
    context.fillStyle = INK;
    context.fillText(text, x, y);
  }

  // The line below the picture, the note on it, and its text alternative.
  say(picture) {
    const { viewer, facts } = this, { settings, cursor } = viewer, map = this.map();
    const waiting = !picture ? "Loading the picture …" : facts.map && !map ? "Computing the map …" : "";
    const side = map?.side(settings.side);
    const empty = map && !(map.extent(side) > 0) ? `No evidence ${side === "against" ? "against" : "for"} it in this image: nothing to draw.` : "";
    this.note.textContent = waiting || empty || (map && (!settings.map || viewer.blinking) ? "map hidden" : "");
    const parts = [];
    const place = cursor && this.ofShare(cursor.share).map(Math.floor);
    if (place && this.inside(place) && picture) {
      const [column, row] = place;
      parts.push(`column ${column}, row ${row}`);
      if (facts.spacing) parts.push(`${((column + 0.5) * this.pixel.x).toFixed(1)}, ${((row + 0.5) * this.pixel.y).toFixed(1)} mm`);
      parts.push(picture.describe(column, row));
      if (map) parts.push(map.saw(column, row) ? `map ${number(map.at(column, row, settings.cells)).replace("-", "−")}` : "not seen by the network");
    } else {
      parts.push(`${facts.columns}×${facts.rows} px`);
      if (facts.spacing) parts.push(`${this.pixel.x.toFixed(2)}×${this.pixel.y.toFixed(2)} mm a pixel`);
      else parts.push(facts.aspect === 1 ? "no spacing known: lengths in pixels" : `no spacing known: lengths in widths of a pixel, which is ${number(facts.aspect)} times as high as wide`);
      if (settings.window && facts.unit === "HU") parts.push(`window ${Math.round(settings.window.level)} / ${Math.round(settings.window.width)} HU`);
    }
    this.readout.textContent = parts.join(" · ");
    const contours = [...new Set(facts.contours.map((each) => each.label))];
    const words = `${facts.title || "Slice"}: ${facts.columns} by ${facts.rows} pixels. ` + (map ? map.describe(settings.cells, settings.threshold, settings.side) : waiting || "No map.") +
      (contours.length ? ` Outlined: ${contours.join(", ")}.` : "") + " Press question mark for the keys.";
    if (this.canvas.getAttribute("aria-label") !== words && !viewer.dragging) this.canvas.setAttribute("aria-label", words);
  }
}
