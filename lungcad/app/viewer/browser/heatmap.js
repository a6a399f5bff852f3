// A heat map on its image: values as the server's Geometry.to_original gives them, and its coloured layer.
class HeatMap {
  constructor(facts, rows, columns) {
    Object.assign(this, facts);
    this.rows = rows;
    this.columns = columns;
    this.onImage = {};
  }

  side(wanted) {
    return this.sides.includes(wanted) ? wanted : this.sides[0];
  }

  // Float32Array over the image, 0 outside the box; bilinear between the middles of the cells, or as blocks.
  all(cells) {
    const known = this.onImage[cells];
    if (known) return known;
    const out = new Float32Array(this.rows * this.columns);
    const [top, left, bottom, right] = this.box;
    const [gridRows, gridColumns] = this.shape;
    const across = cells ? nearest(gridColumns, right - left) : between(gridColumns, right - left);
    const down = cells ? nearest(gridRows, bottom - top) : between(gridRows, bottom - top);
    const grid = this.values;
    for (let row = Math.max(top, 0); row < Math.min(bottom, this.rows); row++) {
      const y = down[row - top];
      const above = y.low * gridColumns, below = y.high * gridColumns;
      for (let column = Math.max(left, 0); column < Math.min(right, this.columns); column++) {
        const x = across[column - left];
        const first = grid[above + x.low] + (grid[above + x.high] - grid[above + x.low]) * x.share;
        const second = grid[below + x.low] + (grid[below + x.high] - grid[below + x.low]) * x.share;
        out[row * this.columns + column] = first + (second - first) * y.share;
      }
    }
    return (this.onImage[cells] = out);
  }

  at(column, row, cells) {
    return this.all(cells)[row * this.columns + column];
  }

  saw(column, row) {
    const [top, left, bottom, right] = this.box;
    return row >= top && row < bottom && column >= left && column < right;
  }

  // How strong a value counts on the chosen side; 0 or less is not drawn.
  strength(value, side) {
    return side === "both" ? Math.abs(value) : side === "against" ? -value : value;
  }

  // The largest strength: where the colour scale ends. Of both sides for a signed map, so that a colour keeps its meaning when the side changes.
  extent(side) {
    this.extents ??= {};
    if (this.extents[side] === undefined) {
      const counted = this.signed ? "both" : side;
      let most = 0;
      for (const value of this.all(false)) most = Math.max(most, this.strength(value, counted));
      this.extents[side] = most;
    }
    return this.extents[side];
  }

  // Canvas of the image's size: transparent where the map is hidden.
  layer({ cells, threshold, table }, side, low, high) {
    const canvas = document.createElement("canvas");
    canvas.width = this.columns;
    canvas.height = this.rows;
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(this.columns, this.rows);
    const paint = new Uint32Array(pixels.data.buffer);
    const values = this.all(cells), flip = !this.signed && side === "against" ? -1 : 1, end = Math.max(Math.abs(low), Math.abs(high));
    for (let i = 0; i < values.length; i++) {
      const strength = this.strength(values[i], side);
      if (strength > 0 && strength >= threshold * end) {
        const place = Math.round((255 * (flip * values[i] - low)) / (high - low));
        paint[i] = table[Math.min(Math.max(place, 0), 255)];
      }
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  }

  // In words: where it is strongest, and how much of the image is covered.
  describe(cells, threshold, wanted) {
    const key = `${cells} ${threshold} ${wanted}`;
    if (this.described?.key !== key) this.described = { key, words: this.words(cells, threshold, wanted) };
    return this.described.words;
  }

  words(cells, threshold, wanted) {
    const side = this.side(wanted), values = this.all(cells), most = this.extent(side);
    if (!(most > 0)) return `${this.title}: nothing to show on this side.`;
    let best = 0, covered = 0, peak = -Infinity;
    for (let i = 0; i < values.length; i++) {
      const strength = this.strength(values[i], side);
      if (strength > peak) [peak, best] = [strength, i];
      if (strength > 0 && strength >= threshold * most) covered++;
    }
    const row = Math.floor(best / this.columns), column = best % this.columns;
    const place = `${["upper", "middle", "lower"][Math.min(Math.floor((3 * row) / this.rows), 2)]} ${
      ["left", "centre", "right"][Math.min(Math.floor((3 * column) / this.columns), 2)]}`;
    return `${this.title}: strongest ${number(values[best])} at column ${column}, row ${row} (${place} of the picture); ` +
      `${Math.round((100 * covered) / values.length)} % of the picture is covered.`;
  }
}

function between(n, size) {
  return Array.from({ length: size }, (_, i) => {
    const at = Math.min(Math.max(((i + 0.5) * n) / size - 0.5, 0), n - 1);
    const low = Math.floor(at);
    return { low, high: Math.min(low + 1, n - 1), share: at - low };
  });
}

function nearest(n, size) {
  return Array.from({ length: size }, (_, i) => {
    const low = Math.min(Math.floor(((i + 0.5) * n) / size), n - 1);
    return { low, high: low, share: 0 };
  });
}

function number(value) {
  return value === 0 ? "0" : Math.abs(value) >= 0.001 && Math.abs(value) < 100000 ? String(+value.toPrecision(3)) : value.toExponential(1);
}

function colourTable(name) {
  const hex = COLOURS.tables[name];
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const [red, green, blue] = [0, 2, 4].map((j) => parseInt(hex.substr(6 * i + j, 2), 16));
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0; // little-endian, as every browser's machine is
  });
}
