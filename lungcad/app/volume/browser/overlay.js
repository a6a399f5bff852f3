// What lies over the voxels on a coarser grid: a heat map (values, NaN where nothing was read) or a mask (its outline is drawn).
class Overlay {
  constructor(facts) {
    Object.assign(this, facts); // kind, label, colour, origin and step [slice, row, column] in voxels, shape, values, most
    this.known = {};
  }

  cell(place) { return place.map((each, axis) => (each - this.origin[axis]) / this.step[axis]); }

  // The heat at cells (fractions of them), linear between their middles within a slice; NaN where nothing was read.
  heatAt(k, y, x) {
    const [n, rows, columns] = this.shape;
    if (k < 0 || k >= n || x < 0 || y < 0 || x > columns || y > rows) return NaN;
    const r = Math.min(Math.max(y - 0.5, 0), rows - 1), c = Math.min(Math.max(x - 0.5, 0), columns - 1), r0 = Math.floor(r), c0 = Math.floor(c);
    const down = r0 < rows - 1 ? columns : 0, right = c0 < columns - 1 ? 1 : 0, at = (k * rows + r0) * columns + c0, { values } = this;
    const upper = values[at] + (values[at + right] - values[at]) * (c - c0), lower = values[at + down] + (values[at + down + right] - values[at + down]) * (c - c0);
    return upper + (lower - upper) * (r - r0);
  }

  heat(place) { const [k, y, x] = this.cell(place); return this.heatAt(Math.floor(k), y, x); }

  marked(k, y, x) {
    const [n, rows, columns] = this.shape;
    return k >= 0 && k < n && y >= 0 && x >= 0 && y < rows && x < columns && this.values[(k * rows + Math.floor(y)) * columns + Math.floor(x)] > 0;
  }

  // Calls visit(pixel, slice, row, column) in cells for every pixel of a canvas over a plane; all but one coordinate stay along a line of it.
  walk(block, plane, cursor, w, h, visit) {
    const { width, height } = block.size(plane), { origin, step } = this, axis = plane === "sagittal" ? 1 : 2;
    for (let y = 0; y < h; y++) {
      const [slice, row, column] = this.cellOfLine(block, plane, cursor, ((y + 0.5) * height) / h);
      const first = axis === 2 ? column : row, each = width / w / step[axis];
      for (let x = 0; x < w; x++) {
        const along = first + (x + 0.5) * each;
        if (axis === 2) visit(y * w + x, slice, row, along);
        else visit(y * w + x, slice, along, column);
      }
    }
  }

  cellOfLine(block, plane, cursor, y) {
    const [k, r, c] = this.cell(block.toPlace(plane, [0, y], cursor));
    return [Math.floor(k), r, c];
  }

  // A canvas over a plane's whole picture.
  layer(block, plane, cursor) {
    const fixed = Math.floor(cursor[AXES[plane]]), known = this.known[plane], key = block.anyShear ? `${fixed} ${Math.floor(cursor[0])}` : `${fixed}`;
    if (known?.key === key) return known.canvas;
    const { width, height } = block.size(plane), fine = this.kind === "heat" ? 160 : 320, w = Math.min(width, fine), h = Math.min(height, fine);
    const canvas = known?.canvas ?? element("canvas", { width: w, height: h });
    const context = canvas.getContext("2d"), image = context.createImageData(w, h), out = new Uint32Array(image.data.buffer);
    if (this.kind === "heat") {
      this.walk(block, plane, cursor, w, h, (i, k, y, x) => {
        const share = this.heatAt(k, y, x) / this.most;
        if (share > 0.2) out[i] = HEAT[Math.min(Math.round(share * 255), 255)];
      });
    } else {
      const inside = new Uint8Array(w * h), { ink } = this;
      this.walk(block, plane, cursor, w, h, (i, k, y, x) => { inside[i] = this.marked(k, y, x) ? 1 : 0; });
      for (let i = 0; i < inside.length; i++) {
        const x = i % w;
        if (inside[i] && !(x > 0 && x < w - 1 && inside[i - 1] && inside[i + 1] && inside[i - w] && inside[i + w])) out[i] = ink;
      }
    }
    context.putImageData(image, 0, 0);
    this.known[plane] = { key, canvas };
    return canvas;
  }

  get ink() {
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(this.colour.slice(i, i + 2), 16));
    return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
  }
}
