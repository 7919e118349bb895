// WAV files of 32-bit floating-point samples.

const HEADER = 58; // a format chunk that names an extension, and the count of samples, as floats need

export function wav({ data, shape: [channels, samples] }, rate) {
  const bytes = new DataView(new ArrayBuffer(HEADER + 4 * data.length));
  const word = (at, text) => [...text].forEach((c, i) => bytes.setUint8(at + i, c.charCodeAt(0)));
  word(0, "RIFF");
  bytes.setUint32(4, bytes.byteLength - 8, true);
  word(8, "WAVEfmt ");
  bytes.setUint32(16, 18, true);
  bytes.setUint16(20, 3, true); // floating point
  bytes.setUint16(22, channels, true);
  bytes.setUint32(24, rate, true);
  bytes.setUint32(28, 4 * rate * channels, true);
  bytes.setUint16(32, 4 * channels, true);
  bytes.setUint16(34, 32, true);
  word(38, "fact");
  bytes.setUint32(42, 4, true);
  bytes.setUint32(46, samples, true);
  word(50, "data");
  bytes.setUint32(54, 4 * data.length, true);
  for (let i = 0; i < samples; i += 1) {
    for (let c = 0; c < channels; c += 1) {
      bytes.setFloat32(HEADER + 4 * (i * channels + c), data[c * samples + i], true);
    }
  }
  return new Blob([bytes], { type: "audio/wav" });
}

export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
