"""The studio's page against the clock: first paint, and from a key press to the new picture.

    python benchmarks/studio.py        # 512 x 512 pixels, a kernel of 15 x 15, in Chromium

The time of a key press runs from the event in the page to the frame after the picture has changed,
so the way to the engine and back, the drawing and up to a frame's wait are in it.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys

from playwright.sync_api import Page, sync_playwright

PRESSES = 60
ROOM = "image?picture=camera&preset=gaussian&sigma=2.4&view={view}"

PRESS = """async (number) => {
  const canvas = document.querySelectorAll("main canvas")[2];
  const sigma = document.querySelector("main input[type=range]");
  const seen = () => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const before = seen().slice();
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  const start = performance.now();
  sigma.value = number % 2 ? 2.4 : 2.3;
  sigma.dispatchEvent(new Event("input", { bubbles: true }));
  for (let i = 0; i < 200; i += 1) {
    await frame();
    const now = performance.now();
    const after = seen();
    if (after.some((value, at) => value !== before[at])) return now - start;
  }
  throw new Error("the picture did not change");
}"""


def main() -> None:
    """Measure and print."""
    command = [sys.executable, "-m", "multiconv", "studio", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            report(server.stdout.readline().strip())
        finally:
            server.terminate()


def report(address: str) -> None:
    """Open the page in a browser and print what it took."""
    browser = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as p:
        page = p.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page()
        page.goto(address)
        page.locator('main[aria-busy="false"] h1').wait_for()
        page.reload()
        page.locator('main[aria-busy="false"] h1').wait_for()
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        print(f"first paint            {paint:6.0f} ms")
        for view in ("photo", "signed"):
            page.goto(address.partition("?")[0] + "#" + ROOM.format(view=view))
            page.reload()
            page.get_by_test_id("speed").filter(has_text="s").wait_for()
            times = [press(page, number) for number in range(PRESSES)]
            tenth = statistics.quantiles(times, n=10)[-1]
            print(f"key press, {view:<12}{statistics.median(times):6.0f} ms, 90 % {tenth:.0f} ms")


def press(page: Page, number: int) -> float:
    """Milliseconds from a step of sigma's slider to the new picture."""
    found: float = page.evaluate(PRESS, number)
    return found


if __name__ == "__main__":
    main()
