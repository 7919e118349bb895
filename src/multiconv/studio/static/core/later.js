// What need not follow every movement: done once nothing has come for a while, unless the user has left.

export function later(action, signal, milliseconds = 200) {
  let timer = 0;
  signal.addEventListener("abort", () => clearTimeout(timer));
  return () => {
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(action, milliseconds);
  };
}
