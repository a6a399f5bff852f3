// Everything by keyboard, while a picture has the focus.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function listenToKeys(pane) {
  const { canvas, viewer } = pane;
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || !pressed(pane, event)) return;
    event.preventDefault();
    event.stopPropagation(); // else the page takes R and C for shortcuts of its own
    viewer.paint();
  });
  canvas.addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() === "b") viewer.blink(false);
  });
  canvas.addEventListener("blur", () => viewer.blink(false));
}

// Whether the key means something here.
function pressed(pane, event) {
  const { viewer } = pane, { settings, facts } = viewer, isHu = facts.windows.length > 0;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key, back = event.shiftKey ? -1 : 1;
  const pointer = () => viewer.cursor ? pane.ofShare(viewer.cursor.share) : pane.ofShare([viewer.view.x, viewer.view.y]).map((each) => Math.floor(each) + 0.5);
  if (ARROWS[key]) {
    const [dx, dy] = ARROWS[key];
    if (!event.shiftKey) return viewer.pan(pane, -40 * dx, -40 * dy), true;
    const step = event.altKey ? 10 : 1, [x, y] = pointer().map((each) => Math.floor(each) + 0.5);
    const moved = [Math.min(Math.max(x + step * dx, 0.5), pane.facts.columns - 0.5), Math.min(Math.max(y + step * dy, 0.5), pane.facts.rows - 0.5)];
    viewer.cursor = { share: pane.toShare(moved), pane, byKey: true };
    viewer.announceCursor(pane);
    return true;
  }
  const actions = {
    "+": () => viewer.zoom(pane, 1.25, pane.toScreen(pointer())), "=": () => viewer.zoom(pane, 1.25, pane.toScreen(pointer())),
    "-": () => viewer.zoom(pane, 0.8, pane.toScreen(pointer())), 0: () => viewer.reset(),
    b: () => viewer.blink(true), h: () => viewer.change({ map: !settings.map }),
    "[": () => viewer.step("opacity", -0.05), "]": () => viewer.step("opacity", 0.05),
    ",": () => viewer.step("threshold", -0.05), ".": () => viewer.step("threshold", 0.05),
    k: () => viewer.nextColours(), x: () => viewer.change({ cells: !settings.cells }), e: () => viewer.nextSide(),
    m: () => viewer.setMode("move"), g: () => isHu && viewer.setMode("window"), r: () => viewer.setMode("ruler"), d: () => facts.draw && viewer.setMode("draw"),
    w: () => isHu && viewer.moveWindow(25 * back, 0), l: () => isHu && viewer.moveWindow(0, -25 * back),
    " ": () => viewer.setPoint(pane, pointer()), Enter: () => viewer.stroke && viewer.closeStroke(pane), Backspace: () => viewer.takeBack(),
    Escape: () => viewer.escape(), f: () => viewer.fullScreen(), "?": () => viewer.controls.toggleHelp(),
  };
  if (actions[key]) return actions[key](), true;
  const number = "123456".indexOf(key);
  if (number >= 0 && facts.windows[number]) return viewer.chooseWindow(facts.windows[number].name), true;
  return false;
}
