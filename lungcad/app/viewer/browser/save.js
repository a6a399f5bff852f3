// A pane as a PNG file at the image's own size, with its texts inside.
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
  const link = element("a", { href: URL.createObjectURL(new Blob(withTexts(new Uint8Array(await blob.arrayBuffer()), texts), { type: "image/png" })), download: `${name}.png` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// iTXt chunks after the header (PNG specification, 11.3.4.5).
function withTexts(png, texts) {
  const chunks = Object.entries(texts).map(([key, text]) => {
    const body = new TextEncoder().encode(`iTXt${key}\0\0\0\0\0${text}`), chunk = new Uint8Array(body.length + 8), view = new DataView(chunk.buffer);
    view.setUint32(0, body.length - 4);
    chunk.set(body, 4);
    view.setUint32(body.length + 4, crc32(body));
    return chunk;
  });
  return [png.subarray(0, 33), ...chunks, png.subarray(33)];
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
