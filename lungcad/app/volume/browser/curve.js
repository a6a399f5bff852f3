// The network's probability slice by slice, below the pictures; a click jumps to the slice.
class Curve {
  constructor(viewer) {
    this.viewer = viewer;
    this.canvas = element("canvas", { class: "curve", role: "slider", tabindex: "0", "aria-label": "Probability by slice" });
    this.readout = element("div", { class: "quiet" });
    this.root = element("div", { class: "curve-box" }, this.canvas, this.readout);
    const go = (event) => {
      const box = this.canvas.getBoundingClientRect();
      this.viewer.goTo(0, Math.floor(((event.clientX - box.left - PAD.left) / (box.width - PAD.left - PAD.right)) * this.viewer.block.n));
    };
    this.canvas.addEventListener("pointerdown", (event) => { this.canvas.setPointerCapture(event.pointerId); this.down = true; go(event); });
    this.canvas.addEventListener("pointermove", (event) => this.down && go(event));
    for (const name of ["pointerup", "pointercancel"]) this.canvas.addEventListener(name, () => { this.down = false; });
    this.canvas.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (step) event.preventDefault(), this.viewer.step(0, step);
    });
  }

  paint() {
    const { curve } = this.viewer.facts, { n } = this.viewer.block;
    this.root.hidden = !curve;
    if (!curve || !this.canvas.clientWidth) return;
    const ratio = devicePixelRatio || 1, width = this.canvas.clientWidth, height = this.canvas.clientHeight, context = this.canvas.getContext("2d");
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(this.viewer.root), ink = style.color, line = style.getPropertyValue("--st-primary-color") || "#2a6f97";
    const inner = width - PAD.left - PAD.right, tall = height - PAD.top - PAD.bottom;
    const x = (slice) => PAD.left + ((slice + 0.5) / n) * inner, y = (share) => PAD.top + (1 - share) * tall;
    context.font = "12px sans-serif";
    context.fillStyle = ink;
    context.strokeStyle = ink;
    context.globalAlpha = 0.25;
    for (const share of [0, 0.5, 1]) context.fillRect(PAD.left, y(share), inner, 1);
    context.globalAlpha = 1;
    context.textAlign = "right";
    for (const share of [0, 0.5, 1]) context.fillText(`${share * 100} %`, PAD.left - 5, y(share) + 4);
    context.textAlign = "center";
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      const slice = Math.round(share * (n - 1));
      context.fillText(`${slice + 1}`, x(slice), height - 16);
    }
    context.fillText("slice, from the feet to the head", PAD.left + inner / 2, height - 2);
    context.globalAlpha = 0.12; // not read
    const read = new Set(curve.slices);
    for (let slice = 0, first = 0; slice <= n; slice++) if (slice === n || read.has(slice)) {
      if (slice > first) context.fillRect(x(first - 0.5), PAD.top, ((slice - first) * inner) / n, tall);
      first = slice + 1;
    }
    context.globalAlpha = 1;
    context.beginPath();
    let last = null;
    curve.slices.forEach((slice, i) => {
      if (curve.declined[i]) { last = null; return; }
      if (last === null || slice - last > 2) context.moveTo(x(slice), y(curve.values[i]));
      else context.lineTo(x(slice), y(curve.values[i]));
      last = slice;
    });
    Object.assign(context, { strokeStyle: line, lineWidth: 2 });
    context.stroke();
    context.fillStyle = "#d55e00";
    curve.slices.forEach((slice, i) => curve.declined[i] && context.fillRect(x(slice) - 2, y(0) - 6, 4, 6));
    curve.slices.forEach((slice, i) => { // a slice alone is no line
      if (!curve.declined[i]) context.fillStyle = line, context.beginPath(), context.arc(x(slice), y(curve.values[i]), 1.8, 0, 7), context.fill();
    });
    context.textAlign = "left";
    context.fillStyle = ink;
    context.fillText(curve.label, PAD.left + 4, PAD.top + 12);
    const now = Math.floor(this.viewer.cursor[0]), at = curve.slices.indexOf(now);
    context.fillStyle = ink;
    context.fillRect(x(now) - 0.75, PAD.top, 1.5, tall);
    const said = at < 0 ? "not read by the network" : curve.declined[at] ? "declined by the gate" : `${curve.label} ${(100 * curve.values[at]).toFixed(1)} %`;
    this.readout.textContent = `Slice ${now + 1}: ${said}. Grey: not read. ${curve.declined.some(Boolean) ? "Orange: declined. " : ""}Click to go there.`;
    Object.entries({ "aria-valuemin": 1, "aria-valuemax": n, "aria-valuenow": now + 1, "aria-valuetext": said }).forEach(([name, value]) => this.canvas.setAttribute(name, value));
  }
}
const PAD = { left: 48, right: 10, top: 8, bottom: 32 };
