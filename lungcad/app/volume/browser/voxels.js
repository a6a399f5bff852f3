// The voxels come over HTTP, piece by piece, into the one array that the planes are cut from.
async function fetchVoxels({ url, shape }, onShare) {
  const response = await fetch(new URL(url, document.baseURI));
  if (!response.ok) throw new Error(`answer ${response.status}`);
  const values = new Int16Array(shape.reduce((product, side) => product * side)), bytes = new Uint8Array(values.buffer), reader = response.body.getReader();
  let at = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    bytes.set(piece.value, at);
    at += piece.value.length;
    onShare(at / bytes.length);
  }
  if (at < bytes.length) throw new Error("cut short");
  return { values, shape };
}
