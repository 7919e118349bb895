"""A running studio and a real browser."""

import os
import shutil
import socket
import subprocess
import sys

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
MUST = os.environ.get("MULTICONV_BROWSER") == "required"
"""Whether a missing browser is a failure, as on the machines that decide what lands."""


@pytest.fixture(scope="session")
def studio():
    """The address, token and all, of a studio in a process of its own."""
    pytest.importorskip("starlette")
    pytest.importorskip("uvicorn")
    command = [sys.executable, "-m", "multiconv", "studio", "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield server.stdout.readline().strip()
    server.terminate()
    server.wait(20)
    server.stdout.close()


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        (pytest.fail if MUST else pytest.skip)("no Chromium: apt-get install chromium")
    with playwright.sync_playwright() as p:
        chromium = p.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--use-fake-ui-for-media-stream",
                  "--use-fake-device-for-media-stream",
                  "--autoplay-policy=no-user-gesture-required"],
        )  # fmt: skip
        yield chromium
        chromium.close()


@pytest.fixture
def open_room(studio, browser):
    """Open a room as a user would; whatever the page complains of fails the test."""
    contexts, complaints, asked = [], [], set()

    def open_(room, state="", *, theme="light", width=1280, height=860, language="en", **options):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme,
            locale={"en": "en-GB", "zh": "zh-CN"}[language], **options,
        )  # fmt: skip
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("request", lambda request: asked.add(request))
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda request: asked.discard(request))
        page.goto(f"{studio.partition('#')[0]}#{room}{state}")
        page.locator('main[aria-busy="false"] h1').wait_for()
        return page

    def settle(page):
        """Wait until every question is answered, those too that an answer makes the page ask."""
        quiet = 0
        while quiet < 5:
            page.wait_for_timeout(50)
            quiet = 0 if asked else quiet + 1

    open_.complaints = complaints
    open_.settle = settle
    yield open_
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def address(studio):
    """Host and port as one word, and the token."""
    host, token = studio.removeprefix("http://").split("/?token=")
    return host, token


@pytest.fixture
def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
