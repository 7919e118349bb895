// One position, seen in every view: what carries its number lights up when it is pointed at.

export function linked(root, go) {
  let chosen = 0;
  const light = (k) => {
    for (const one of root.querySelectorAll("[data-k]")) one.classList.toggle("lit", Number(one.dataset.k) === k);
  };
  const under = (event) => event.target.closest?.("[data-k]");
  const look = (event) => {
    const one = under(event);
    light(one ? Number(one.dataset.k) : chosen);
  };
  root.addEventListener("pointerover", look);
  root.addEventListener("focusin", look);
  root.addEventListener("pointerleave", () => light(chosen));
  root.addEventListener("click", (event) => {
    const one = under(event);
    if (one) go(Number(one.dataset.k));
  });
  return (k) => {
    chosen = k;
    light(k);
  };
}
