// A letter that is dragged over a picture; Python hears of its place a few times a second, and at the end.
const PAUSE = 150; // ms between two messages
const STEP = 1 / 64;

export default function ({ parentElement, data, setStateValue }) {
  const box = parentElement.querySelector(".move"), picture = box.querySelector("img"), letter = box.querySelector("button");
  const source = `data:image/png;base64,${data.picture}`;
  if (picture.src !== source) picture.src = source;
  box.at ??= [...data.start];
  const place = () => {
    letter.style.left = `${100 * box.at[0]}%`;
    letter.style.top = `${100 * box.at[1]}%`;
  };
  const tell = () => {
    clearTimeout(box.timer);
    box.timer = null;
    setStateValue("at", [...box.at]);
  };
  const move = (right, down) => {
    box.at = [Math.min(Math.max(right, 0), 0.93), Math.min(Math.max(down, 0.07), 1)];
    place();
    box.timer ??= setTimeout(tell, PAUSE);
  };
  letter.onpointerdown = (event) => {
    letter.setPointerCapture(event.pointerId);
    const rect = box.getBoundingClientRect();
    box.grip = [event.clientX - rect.left - box.at[0] * rect.width, event.clientY - rect.top - box.at[1] * rect.height];
    event.preventDefault();
    letter.focus();
  };
  letter.onpointermove = (event) => {
    if (!box.grip) return;
    const rect = box.getBoundingClientRect();
    move((event.clientX - rect.left - box.grip[0]) / rect.width, (event.clientY - rect.top - box.grip[1]) / rect.height);
  };
  letter.onpointerup = letter.onpointercancel = () => {
    if (box.grip) tell();
    box.grip = null;
  };
  picture.onclick = (event) => {
    const rect = box.getBoundingClientRect();
    move((event.clientX - rect.left) / rect.width, (event.clientY - rect.top) / rect.height);
  };
  letter.onkeydown = (event) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!steps) return;
    event.preventDefault();
    move(box.at[0] + 2 * STEP * steps[0], box.at[1] + 2 * STEP * steps[1]);
  };
  place();
}
