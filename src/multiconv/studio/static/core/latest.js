// One question at a time, and after it the latest: a slider asks faster than anyone can answer.

export function latest(ask, show, fail) {
  let running = false;
  let waiting = null;
  async function run(question) {
    running = true;
    try {
      show(await ask(question), question);
    } catch (error) {
      if (error.name !== "AbortError") fail(error);
    }
    running = false;
    if (waiting) {
      const next = waiting;
      waiting = null;
      run(next.question);
    }
  }
  return (question) => {
    if (running) waiting = { question };
    else run(question);
  };
}
