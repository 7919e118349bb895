// Before and after, played together: one is heard, the other silent, so that switching leaves no gap.

const FADE = 0.015; // seconds

export class Player {
  // moved(): told when it begins or stops.
  constructor(moved) {
    this.moved = moved;
    this.context = null;
    this.playing = null;
    this.from = 0;
  }

  // before, after: {data, shape: [channels, samples]}; gain: what makes them equally loud.
  load({ before, after, rate, gain }) {
    this.sounds = { before, after };
    this.rate = rate;
    this.gain = gain;
    this.seconds = after.shape[1] / rate;
    if (this.playing) this.play(this.time());
  }

  // which: "before" or "after".
  hear(which, matched) {
    this.heard = which;
    this.matched = matched;
    if (!this.playing) return;
    for (const [name, { volume }] of Object.entries(this.playing.voices)) {
      volume.gain.setTargetAtTime(this.volume(name), this.context.currentTime, FADE / 3);
    }
  }

  volume(name) {
    if (name !== this.heard) return 0;
    return this.matched && name === "after" ? this.gain : 1;
  }

  play(from = 0) {
    this.context ??= new AudioContext({ sampleRate: this.rate });
    this.context.resume();
    this.end();
    const now = this.context.currentTime;
    const voices = Object.fromEntries(["before", "after"].map((name) => [name, this.voice(name, from)]));
    this.playing = { voices, began: now - from };
    this.moved();
  }

  voice(name, from) {
    const { data, shape: [channels, samples] } = this.sounds[name];
    // Both last as long as the longer one, so that they loop together.
    const buffer = this.context.createBuffer(channels, this.sounds.after.shape[1], this.rate);
    for (let c = 0; c < channels; c += 1) buffer.copyToChannel(data.subarray(c * samples, (c + 1) * samples), c);
    const source = new AudioBufferSourceNode(this.context, { buffer, loop: true });
    const volume = new GainNode(this.context, { gain: 0 });
    source.connect(volume).connect(this.context.destination);
    volume.gain.setTargetAtTime(this.volume(name), this.context.currentTime, FADE / 3);
    source.start(0, from % this.seconds);
    return { source, volume };
  }

  end() {
    if (!this.playing) return;
    const { currentTime } = this.context;
    for (const { source, volume } of Object.values(this.playing.voices)) {
      volume.gain.setTargetAtTime(0, currentTime, FADE / 3);
      source.stop(currentTime + 2 * FADE);
    }
    this.playing = null;
  }

  pause() {
    this.from = this.time();
    this.end();
    this.moved();
  }

  seek(seconds) {
    this.from = seconds;
    if (this.playing) this.play(seconds);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play(this.from < this.seconds ? this.from : 0);
  }

  // Where it is, in seconds.
  time() {
    if (!this.playing) return this.from;
    return (this.context.currentTime - this.playing.began) % this.seconds;
  }

  close() {
    this.end();
    this.context?.close();
  }
}
