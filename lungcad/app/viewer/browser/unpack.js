// The counterpart of lungcad/app/viewer/encode.py, and the values of the page, shared by all its viewers.
const TYPES = { int16: Int16Array, uint8: Uint8Array, float32: Float32Array };

function unpack(bytes) {
  const own = bytes.slice(); // a view into a bigger message is not aligned
  const length = new DataView(own.buffer).getUint32(0, true);
  const facts = JSON.parse(new TextDecoder().decode(own.subarray(4, 4 + length)));
  if (facts.dtype) facts.values = new TYPES[facts.dtype](own.buffer, 4 + length);
  return facts;
}

function sharedValues() {
  return (window.lungcadViewerValues ??= { byId: new Map(), users: new Map(), news: new EventTarget() });
}
