// The voxels, and pictures cut through them. A place is [slice, row, column] in voxels; voxel i reaches from i to i + 1.
const AXES = { axial: 0, coronal: 1, sagittal: 2 };
const AIR = -1000;

class Block {
  constructor(facts, geometry) {
    this.values = facts.values;
    [this.n, this.rows, this.columns] = facts.shape;
    Object.assign(this, geometry); // spacing [slices, rows, columns] mm; shear [rows, columns] a slice
    this.drawn = {};
    this.table = new Uint32Array(65536);
  }

  // Pixels by which a slice is shifted in coronal and sagittal cuts: a tilted gantry moves each off the one before.
  shift(axis, slice) {
    const each = this.shear[axis - 1];
    return Math.round(each * slice + (each < 0 ? -each * (this.n - 1) : 0));
  }

  // Size of a plane's picture, and mm of its pixels.
  size(plane) {
    const [dz, dy, dx] = this.spacing, wide = (axis, count) => count + Math.round(Math.abs(this.shear[axis - 1]) * (this.n - 1));
    if (plane === "axial") return { width: this.columns, height: this.rows, x: dx, y: dy };
    if (plane === "coronal") return { width: wide(2, this.columns), height: this.n, x: dx, y: dz };
    return { width: wide(1, this.rows), height: this.n, x: dy, y: dz };
  }

  // From a place to a point of the plane's picture (head up), and back.
  toPicture(plane, [slice, row, column]) {
    if (plane === "axial") return [column, row];
    const y = this.n - slice, at = Math.min(Math.max(Math.floor(slice), 0), this.n - 1);
    return plane === "coronal" ? [column + this.shift(2, at), y] : [row + this.shift(1, at), y];
  }

  toPlace(plane, [x, y], cursor) {
    if (plane === "axial") return [cursor[0], y, x];
    const slice = this.n - y, at = Math.min(Math.max(Math.floor(slice), 0), this.n - 1), from = Math.floor(cursor[0]);
    if (plane === "coronal") return [slice, cursor[1] + this.shift(1, from) - this.shift(1, at), x - this.shift(2, at)];
    return [slice, x - this.shift(1, at), cursor[2] + this.shift(2, from) - this.shift(2, at)];
  }

  inside([slice, row, column]) {
    return slice >= 0 && row >= 0 && column >= 0 && slice < this.n && row < this.rows && column < this.columns;
  }

  at(place) {
    if (!this.inside(place)) return null;
    const [slice, row, column] = place.map(Math.floor);
    return this.values[(slice * this.rows + row) * this.columns + column];
  }

  // The picture through a window; of several slices the brightest voxel (maximum intensity) where slab_mm is more than one of them.
  layer(plane, cursor, window, slabMm) {
    const axis = AXES[plane], at = Math.floor(cursor[axis]), reach = Math.floor(slabMm / this.spacing[axis] / 2);
    const from = Math.floor(cursor[0]), fixed = plane === "axial" ? 0 : this.shift(axis, from);
    const key = [at + fixed, reach, window.level, window.width].join();
    const known = this.drawn[plane];
    if (known?.key === key) return known.canvas;
    const { width, height } = this.size(plane), canvas = known?.canvas ?? document.createElement("canvas");
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d"), image = context.createImageData(width, height), out = new Uint32Array(image.data.buffer);
    this.setWindow(window);
    if (plane === "axial") this.drawAxial(out, at, reach);
    else this.drawUpright(out, plane, at + fixed, reach, width);
    context.putImageData(image, 0, 0);
    this.drawn[plane] = { key, canvas };
    return canvas;
  }

  setWindow({ level, width }) {
    const key = `${level}/${width}`;
    if (this.windowed === key) return;
    this.windowed = key;
    const low = level - width / 2, factor = 255 / width;
    for (let i = 0; i < 65536; i++) {
      const grey = Math.round(Math.min(Math.max((i - 32768 - low) * factor, 0), 255));
      this.table[i] = 0xff000000 | (grey * 0x10101);
    }
  }

  drawAxial(out, slice, reach) {
    const { values, table } = this, size = this.rows * this.columns;
    const first = Math.max(slice - reach, 0), last = Math.min(slice + reach, this.n - 1);
    if (first === last) {
      for (let i = 0, at = slice * size; i < size; i++, at++) out[i] = table[values[at] + 32768];
      return;
    }
    for (let i = 0; i < size; i++) {
      let most = -32768;
      for (let k = first; k <= last; k++) { const value = values[k * size + i]; if (value > most) most = value; }
      out[i] = table[most + 32768];
    }
  }

  // Coronal: fixed is a row, x runs over columns; sagittal: fixed is a column, x runs over rows.
  drawUpright(out, plane, fixed, reach, width) {
    const { values, table, rows, columns, n } = this, coronal = plane === "coronal";
    const [along, across, stepX, stepFixed] = coronal ? [columns, rows, 1, columns] : [rows, columns, columns, 1];
    for (let k = 0; k < n; k++) {
      const line = (n - 1 - k) * width, shiftX = this.shift(coronal ? 2 : 1, k), here = fixed - this.shift(coronal ? 1 : 2, k);
      const first = Math.max(here - reach, 0), last = Math.min(here + reach, across - 1), base = k * rows * columns;
      for (let x = 0; x < width; x++) {
        const i = x - shiftX;
        let most = -32768;
        if (i >= 0 && i < along) for (let f = first; f <= last; f++) { const value = values[base + i * stepX + f * stepFixed]; if (value > most) most = value; }
        out[line + x] = table[(most === -32768 ? AIR : most) + 32768];
      }
    }
  }
}
