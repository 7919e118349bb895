// A room in a notebook: its questions go to the kernel as messages, its state is the model's.

function engineOf(model, { decode, encode }) {
  const waiting = new Map();
  let asked = 0;
  const hear = ({ id, error }, [bytes] = []) => {
    const { resolve, reject } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error !== undefined) reject?.(new Error(error));
    else resolve?.(decode(new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset, bytes.byteLength)));
  };
  model.on("msg:custom", hear);
  return {
    end: () => model.off("msg:custom", hear),
    call: (room, action, message, signal) => new Promise((resolve, reject) => {
      const id = `${LOAD}-${asked += 1}`;
      waiting.set(id, { resolve, reject });
      signal?.addEventListener("abort", () => {
        waiting.delete(id);
        reject(new DOMException("The room was left.", "AbortError"));
      });
      model.send({ id, action }, undefined, [encode(message).buffer]);
    }),
  };
}

// Whether the notebook's paper is dark, whatever its theme is called.
function isDark(element) {
  const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  for (let one = element.isConnected ? element : document.body; one; one = one.parentElement ?? one.getRootNode().host) {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = getComputedStyle(one).backgroundColor; // of any colour space
    pixel.fillRect(0, 0, 1, 1);
    const [red, green, blue, opacity] = pixel.getImageData(0, 0, 1, 1).data;
    if (opacity > 0) return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
  }
  return false;
}

async function render({ model, el }) {
  const [envelope, { mount }, { later }, picture, { h }, module] = await Promise.all([
    "core/envelope.js", "core/mounting.js", "core/later.js", "core/picture.js", "core/element.js", `rooms/${ROOM}.js`,
  ].map(load));
  const room = h("div", { class: "room" });
  // Jupyter would take the arrow keys for its cells.
  const root = h("div", { class: "multiconv", "data-lm-suppress-shortcuts": "true" }, room);
  el.append(root);

  const theme = () => {
    const next = isDark(el) ? "dark" : "light";
    if (root.dataset.theme === next) return;
    root.dataset.theme = next;
    dispatchEvent(new Event("themechange"));
  };
  picture.page.isDark = () => root.dataset.theme === "dark";
  theme();
  requestAnimationFrame(theme); // some notebooks add the element only now
  const themes = new MutationObserver(theme);
  [document.documentElement, document.body].forEach((one) => themes.observe(one, { attributes: true }));

  const engine = engineOf(model, envelope);
  const leaving = new AbortController();
  const save = later(() => model.save_changes(), leaving.signal);
  let leave = () => {};
  async function enter() {
    leave();
    leave = await mount({
      root: room, name: ROOM, module, engine, language: model.get("language"),
      state: { ...structuredClone(module.defaults), ...model.get("state") },
      remember(state) {
        model.set("state", { ...state });
        save();
      },
    });
  }
  await enter();
  model.on("change:language", enter);
  return () => {
    model.off("change:language", enter);
    themes.disconnect();
    engine.end();
    leaving.abort();
    leave();
  };
}

export default { render };
