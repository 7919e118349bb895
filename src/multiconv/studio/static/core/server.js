// Questions to the engine over HTTP. A notebook's widget brings its own pair of functions.

import { decode, encode, extent } from "./envelope.js";

async function post(room, action, message, signal) {
  const response = await fetch(`api/${room}/${action}`, {
    method: "POST", body: encode(message), signal,
    headers: { "content-type": "application/octet-stream" },
  });
  if (response.ok) return response;
  const text = await response.text();
  let reason = text;
  try {
    reason = JSON.parse(text).error;
  } catch { /* the guard answers in plain text */ }
  throw new Error(reason);
}

export async function call(room, action, message, signal) {
  const response = await post(room, action, message, signal);
  return decode(new Uint8Array(await response.arrayBuffer()));
}

// Tells `onmessage` of each answer as it comes.
export async function stream(room, action, message, onmessage, signal) {
  const reader = (await post(room, action, message, signal)).body.getReader();
  let held = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const joined = new Uint8Array(held.length + value.length);
    joined.set(held);
    joined.set(value, held.length);
    held = joined;
    for (let size = extent(held); size <= held.length; size = extent(held)) {
      onmessage(decode(held.slice(0, size)));
      held = held.slice(size);
    }
  }
}
