// Modules from SOURCES, their texts by path: each becomes a blob that imports the blobs of others.

const LOAD = `multiconv_${Math.random().toString(36).slice(2)}`;
const addresses = new Map();

const resolve = (specifier, from) => new URL(specifier, `http://here/${from}`).pathname.slice(1);

function address(path) {
  if (!addresses.has(path)) {
    const text = SOURCES[path]
      .replace(/(\bfrom\s+|\bimport\s+)"(\.[^"]+)"/g, (_, word, to) => `${word}"${address(resolve(to, path))}"`)
      .replace(/\bimport\(/g, `globalThis.${LOAD}("${path}", `);
    addresses.set(path, URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  }
  return addresses.get(path);
}

const load = (path) => import(address(path));

// What an import() with a computed name is in a blob.
globalThis[LOAD] = (from, specifier) => load(resolve(specifier, from));
