// Mouse, pen and fingers on one pane.
function listen(pane) {
  const { canvas, viewer } = pane, down = new Map();
  let drag = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const pinch = () => {
    const [first, second] = [...down.values()];
    return { middle: [(first[0] + second[0]) / 2, (first[1] + second[1]) / 2], apart: Math.hypot(first[0] - second[0], first[1] - second[1]) };
  };

  canvas.addEventListener("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at(event));
    if (down.size === 2) {
      viewer.stroke = null;
      drag = { kind: "pinch", ...pinch() };
      return;
    }
    const isHu = viewer.facts.windows.length > 0;
    const kind = event.button === 2 ? "window" : event.button === 1 ? "move" : viewer.settings.mode;
    if (kind === "window" && !isHu) return;
    drag = { kind, last: at(event), start: pane.toImage(at(event)) };
    if (kind === "draw") viewer.stroke = [drag.start];
    viewer.dragging = true;
  });

  canvas.addEventListener("pointermove", (event) => {
    const here = at(event), image = pane.toImage(here);
    if (down.has(event.pointerId)) down.set(event.pointerId, here);
    viewer.cursor = { share: pane.toShare(image), pane };
    if (drag?.kind === "pinch" && down.size === 2) {
      const { middle, apart } = pinch();
      viewer.zoom(pane, apart / Math.max(drag.apart, 1), drag.middle);
      viewer.pan(pane, middle[0] - drag.middle[0], middle[1] - drag.middle[1]);
      Object.assign(drag, { middle, apart });
    } else if (drag?.last) {
      const [dx, dy] = [here[0] - drag.last[0], here[1] - drag.last[1]];
      drag.last = here;
      if (drag.kind === "move") viewer.pan(pane, dx, dy);
      if (drag.kind === "window") viewer.moveWindow(dx, dy);
      if (drag.kind === "ruler") viewer.ruler = { from: pane.toShare(drag.start), to: pane.toShare(image) };
      if (drag.kind === "draw" && viewer.stroke) viewer.stroke.push(image);
    }
    viewer.paint();
  });

  const end = (event) => {
    down.delete(event.pointerId);
    if (drag?.kind === "draw" && viewer.stroke && event.type === "pointerup") viewer.closeStroke(pane);
    if (!down.size || drag?.kind === "pinch") drag = null;
    viewer.dragging = false;
    viewer.paint();
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", () => {
    if (drag) return;
    viewer.cursor = null;
    viewer.paint();
  });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", () => viewer.settings.mode !== "draw" && viewer.reset());
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const step = event.deltaY * (event.deltaMode === 1 ? 33 : 1);
    viewer.zoom(pane, Math.exp(-Math.min(Math.max(step, -300), 300) * (event.ctrlKey ? 0.01 : 0.0015)), at(event));
    viewer.paint();
  }, { passive: false });
}
