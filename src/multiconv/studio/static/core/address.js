// A room's state in the address: #room?name=value, only what differs from the room's defaults.

export function parse(hash, defaults = {}) {
  const [room, query = ""] = hash.replace(/^#/, "").split("?");
  const state = structuredClone(defaults);
  for (const [name, text] of new URLSearchParams(query)) {
    if (name in defaults) state[name] = read(text, defaults[name]);
  }
  return { room, state };
}

export function format(room, state, defaults) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (name in defaults && JSON.stringify(value) !== JSON.stringify(defaults[name])) {
      query.set(name, typeof value === "string" ? value : JSON.stringify(value));
    }
  }
  const text = query.toString();
  return text ? `#${room}?${text}` : `#${room}`;
}

// Addresses are typed and shared by people: what does not fit is the default.
function read(text, like) {
  if (typeof like === "string") return text;
  try {
    const value = JSON.parse(text);
    return typeof value === typeof like && Array.isArray(value) === Array.isArray(like) ? value : like;
  } catch {
    return like;
  }
}
