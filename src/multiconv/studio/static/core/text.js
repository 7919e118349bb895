// Words of the page, by language: text/<language>/<room>.js each export one object.

export const LANGUAGES = { en: "English", zh: "中文" };

export function preferred() {
  const stored = localStorage.getItem("language");
  if (stored in LANGUAGES) return stored;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}

async function words(language, name) {
  return (await import(`../text/${language}/${name}.js`)).default;
}

// A function from a key to words; {name} in them is replaced. A missing key shows itself.
export async function vocabulary(language, room) {
  const all = { ...(await words(language, "shell")), ...(await words(language, room)) };
  return (key, values = {}) => (
    (all[key] ?? `⟨${key}⟩`).replace(/\{(\w+)\}/g, (match, name) => values[name] ?? match)
  );
}
