// The engine speaks English; what the page's words hold a translation of is said in them. Numbers
// are # in a translation's key and stand where its own # are.

const NUMBER = /\d+(\.\d+)?(e[+-]?\d+)?/g;

export function engineWords(t) {
  return (sentence) => {
    const key = `# ${sentence.replace(NUMBER, "#")}`;
    const words = t(key);
    if (words === `⟨${key}⟩`) return sentence;
    const numbers = sentence.match(NUMBER) ?? [];
    return words.replace(/#/g, () => numbers.shift());
  };
}
