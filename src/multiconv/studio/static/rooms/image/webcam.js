// The camera's frames, one after the other, as long as it is on.

import { pixelsOf } from "./decode.js";

// take(pixels) resolves when the frame was shown. Returns a function that ends it.
export async function watch(take, fail) {
  const media = await navigator.mediaDevices.getUserMedia({ video: { width: 512, height: 512 } });
  const video = document.createElement("video");
  Object.assign(video, { srcObject: media, muted: true, playsInline: true });
  await video.play();
  let on = true;
  const end = () => {
    on = false;
    media.getTracks().forEach((track) => track.stop());
  };
  async function run() {
    while (on) {
      await nextFrame(video);
      if (on) await take(pixelsOf(video, video.videoWidth, video.videoHeight));
    }
  }
  run().catch((error) => {
    end();
    fail(error);
  });
  return end;
}

function nextFrame(video) {
  return new Promise((resolve) => {
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve);
    else requestAnimationFrame(resolve);
  });
}
