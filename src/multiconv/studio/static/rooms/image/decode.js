// Files and video frames as pixels: decoded by the browser, so that the server sees bounded arrays.

const LARGEST = 512;
const MAX_BYTES = 64 << 20;

// Resolves to {data, shape} of grey or RGB bytes.
export async function decodeFile(file, t) {
  if (file.size > MAX_BYTES) throw new Error(t("too large", { megabytes: MAX_BYTES >> 20 }));
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(t("no picture"));
  }
  const pixels = pixelsOf(bitmap, bitmap.width, bitmap.height);
  bitmap.close();
  return pixels;
}

const canvas = document.createElement("canvas");

// source: anything a canvas draws.
export function pixelsOf(source, width, height) {
  const scale = Math.min(1, LARGEST / Math.max(width, height));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white"; // what lies behind transparent pictures
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return withoutOpacity(context.getImageData(0, 0, canvas.width, canvas.height));
}

function withoutOpacity({ data, width, height }) {
  const grey = isGrey(data);
  const channels = grey ? 1 : 3;
  const out = new Uint8Array(width * height * channels);
  for (let i = 0, o = 0; i < data.length; i += 4, o += channels) {
    out[o] = data[i];
    if (!grey) {
      out[o + 1] = data[i + 1];
      out[o + 2] = data[i + 2];
    }
  }
  return { data: out, shape: grey ? [height, width] : [height, width, 3] };
}

function isGrey(data) {
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  }
  return true;
}
