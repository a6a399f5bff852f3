// Mouse, pen, fingers and keys on one plane.
function listen(plane) {
  const { canvas, viewer, name } = plane, axis = AXES[name], down = new Map();
  let drag = null, rest = 0;
  const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const spread = () => { const [a, b] = [...down.values()]; return { apart: Math.hypot(a[0] - b[0], a[1] - b[1]), middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] }; };

  canvas.addEventListener("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at(event));
    if (down.size === 2) { drag = { kind: "pinch", ...spread() }; return; }
    const kind = event.button === 2 ? "window" : event.button === 1 || event.shiftKey ? "pan" : viewer.settings.mode;
    drag = { kind, last: at(event) };
    if (kind === "cross") viewer.setCursor(plane.place(drag.last));
    if (kind === "ruler") plane.ruler = { from: plane.toPicture(drag.last), to: plane.toPicture(drag.last) };
    viewer.paint();
  });
  canvas.addEventListener("pointermove", (event) => {
    const here = at(event);
    viewer.pointer = { plane, place: plane.place(here) };
    if (down.has(event.pointerId)) down.set(event.pointerId, here);
    if (drag?.kind === "pinch" && down.size === 2) {
      const now = spread();
      plane.zoom(now.apart / Math.max(drag.apart, 1), now.middle);
      plane.pan(now.middle[0] - drag.middle[0], now.middle[1] - drag.middle[1]);
      Object.assign(drag, now);
    } else if (drag?.last) {
      const [dx, dy] = [here[0] - drag.last[0], here[1] - drag.last[1]];
      drag.last = here;
      if (drag.kind === "pan") plane.pan(dx, dy);
      if (drag.kind === "window") viewer.moveWindow(dx, dy);
      if (drag.kind === "cross") viewer.setCursor(plane.place(here));
      if (drag.kind === "ruler") plane.ruler.to = plane.toPicture(here);
    }
    viewer.paint();
  });
  const end = (event) => { down.delete(event.pointerId); if (!down.size || drag?.kind === "pinch") drag = null; viewer.paint(); };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", () => { if (!drag) { viewer.pointer = null; viewer.paint(); } });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", () => { plane.view = { x: 0.5, y: 0.5, zoom: 1 }; viewer.paint(); });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const step = event.deltaY * (event.deltaMode === 1 ? 33 : 1);
    if (event.ctrlKey) return plane.zoom(Math.exp(-Math.min(Math.max(step, -300), 300) * 0.005), at(event));
    rest += step / 50; // a notch of 100 is two slices; a trackpad's small steps add up
    const whole = Math.trunc(rest);
    rest -= whole;
    if (whole) viewer.step(axis, -whole);
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keyOf(plane, axis, event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
}

function keyOf(plane, axis, key) {
  const { viewer } = plane, last = plane.count - 1, middle = [plane.width / 2, plane.height / 2];
  const keys = {
    ArrowUp: () => viewer.step(axis, 1), ArrowDown: () => viewer.step(axis, -1), ArrowRight: () => viewer.step(axis, 1), ArrowLeft: () => viewer.step(axis, -1),
    PageUp: () => viewer.step(axis, 10), PageDown: () => viewer.step(axis, -10), Home: () => viewer.goTo(axis, 0), End: () => viewer.goTo(axis, last),
    "+": () => plane.zoom(1.25, middle), "=": () => plane.zoom(1.25, middle), "-": () => plane.zoom(0.8, middle), 0: () => viewer.reset(),
    m: () => viewer.setMode("pan"), g: () => viewer.setMode("window"), r: () => viewer.setMode("ruler"), x: () => viewer.setMode("cross"),
    c: () => viewer.cine(), h: () => viewer.toggleAll(), " ": () => viewer.cine(), Escape: () => { plane.ruler = null; viewer.setMode("cross"); },
  };
  const window = viewer.facts.windows["123456".indexOf(key)];
  return window && key !== "" && "123456".includes(key) ? () => viewer.change({ window }) : keys[key];
}
