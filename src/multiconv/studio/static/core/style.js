// A style sheet that only some rooms need; resolves once it applies, so that nothing jumps.

const loaded = new Map();

export function useStyle(name) {
  if (!loaded.has(name)) {
    loaded.set(name, new Promise((resolve) => {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = new URL(`../style/${name}.css`, import.meta.url);
      link.onload = resolve;
      link.onerror = resolve;
      document.head.append(link);
    }));
  }
  return loaded.get(name);
}
