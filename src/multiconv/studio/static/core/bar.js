// The browser's address bar. Browsers take few changes of it (Safari 100 in 30 s), sliders make more.

const PAUSE = 320; // milliseconds

let waiting = null;
let timer = 0;
let last = -PAUSE;

// Writes at once, or the latest of what comes too fast a little later.
export function write(hash) {
  waiting = hash;
  clearTimeout(timer);
  const pause = last + PAUSE - performance.now();
  if (pause > 0) timer = setTimeout(flush, pause);
  else flush();
}

export function flush() {
  if (waiting === null) return;
  history.replaceState(null, "", waiting);
  last = performance.now();
  forget();
}

// What was not yet written belongs to a page that was left.
export function forget() {
  clearTimeout(timer);
  waiting = null;
}
