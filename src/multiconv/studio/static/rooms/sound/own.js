// A sound of one's own: a file, or the microphone.

export const RATE = 48000;
const LONGEST = 30; // seconds

// Samples of whatever the browser can decode: {data, shape: [channels, samples]}.
export async function decode(bytes) {
  const context = new OfflineAudioContext(2, 1, RATE);
  const buffer = await context.decodeAudioData(bytes);
  const samples = Math.min(buffer.length, LONGEST * RATE);
  const channels = Math.min(2, buffer.numberOfChannels);
  const data = new Float32Array(channels * samples);
  for (let c = 0; c < channels; c += 1) {
    data.set(buffer.getChannelData(c).subarray(0, samples), c * samples);
  }
  return { data, shape: [channels, samples] };
}

// Records until `stop` is called; `sound` resolves to what was heard.
export async function record() {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
  const recorder = new MediaRecorder(stream);
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start();
  const limit = setTimeout(() => recorder.stop(), 1000 * LONGEST);
  const sound = ended.then(async () => {
    clearTimeout(limit);
    for (const track of stream.getTracks()) track.stop();
    return decode(await new Blob(parts).arrayBuffer());
  });
  return { sound, stop: () => recorder.state === "recording" && recorder.stop() };
}
