// A pane as a PNG file at the image's own size, with its texts and the size of its pixels inside.
async function savePane(pane, name) {
  const { viewer, facts } = pane, { settings } = viewer, map = pane.map();
  const canvas = element("canvas", { width: facts.columns, height: facts.rows }), context = canvas.getContext("2d");
  context.drawImage(viewer.pictures.get(facts.image).layer(settings.window), 0, 0);
  if (map && settings.map) {
    context.globalAlpha = settings.opacity;
    context.drawImage(viewer.mapLayer(map), 0, 0);
    context.globalAlpha = 1;
  }
  for (const { points, colour } of facts.contours) {
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x + 0.5, y + 0.5);
    context.closePath();
    context.strokeStyle = colour;
    context.lineWidth = Math.max(facts.rows / 300, 1);
    context.stroke();
  }
  if (map?.mark) pane.text(context, map.mark, 6, 16);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const texts = { ...facts.texts, ...(settings.window && facts.unit === "HU" ? { Window: `level ${settings.window.level}, width ${settings.window.width} HU` } : {}) };
  if (map) Object.assign(texts, map.texts, { Map: map.title, Shown: settings.map ? `opacity ${settings.opacity}, threshold ${settings.threshold}, ${map.side(settings.side)}` : "map hidden" });
  const chunks = [pixelSize(pane), ...Object.entries(texts).map(([key, text]) => chunk("iTXt", new TextEncoder().encode(`${key}\0\0\0\0\0${text}`)))];
  const png = new Uint8Array(await blob.arrayBuffer()); // the header ends at byte 33
  const link = element("a", { href: URL.createObjectURL(new Blob([png.subarray(0, 33), ...chunks, png.subarray(33)], { type: "image/png" })), download: `${name}.png` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// Physical pixel dimensions (PNG specification, 11.3.4.3): pixels a metre where the spacing is known, else their proportions alone.
function pixelSize(pane) {
  const { x, y } = pane.pixel, body = new Uint8Array(9), view = new DataView(body.buffer), per = pane.facts.spacing ? 1000 : 10000;
  view.setUint32(0, Math.round(per / x));
  view.setUint32(4, Math.round(per / y));
  view.setUint8(8, pane.facts.spacing ? 1 : 0);
  return chunk("pHYs", body);
}

function chunk(type, body) {
  const made = new Uint8Array(body.length + 12), view = new DataView(made.buffer);
  view.setUint32(0, body.length);
  made.set(new TextEncoder().encode(type), 4);
  made.set(body, 8);
  view.setUint32(body.length + 8, crc32(made.subarray(4, body.length + 8)));
  return made;
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
