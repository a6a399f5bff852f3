// An image's pixels, and what they look like through a window.
class Picture {
  constructor(facts) {
    Object.assign(this, facts);
    [this.rows, this.columns] = facts.shape;
  }

  describe(column, row) {
    const at = row * this.columns + column;
    if (this.unit === "RGB") return `RGB ${this.values.slice(3 * at, 3 * at + 3).join(" ")}`;
    const value = this.values[at];
    return `${Number.isInteger(value) ? value : value.toFixed(1)} ${this.unit}`.replace("-", "−");
  }

  layer(window) {
    const name = this.unit === "HU" ? `${window.level}/${window.width}` : "";
    if (this.drawn?.name === name) return this.drawn.canvas;
    const canvas = this.drawn?.canvas ?? document.createElement("canvas");
    canvas.width = this.columns;
    canvas.height = this.rows;
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(this.columns, this.rows);
    const low = this.unit === "HU" ? window.level - window.width / 2 : 0, factor = 255 / (this.unit === "HU" ? window.width : 255);
    const n = this.rows * this.columns, out = pixels.data, colour = this.unit === "RGB";
    for (let i = 0; i < n; i++) {
      if (colour) {
        out[4 * i] = this.values[3 * i];
        out[4 * i + 1] = this.values[3 * i + 1];
        out[4 * i + 2] = this.values[3 * i + 2];
      } else {
        out[4 * i] = out[4 * i + 1] = out[4 * i + 2] = (this.values[i] - low) * factor; // the array rounds and clips
      }
      out[4 * i + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
    this.drawn = { name, canvas };
    return canvas;
  }
}
