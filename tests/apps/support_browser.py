"""A server started for a test and a Chromium that may talk to this machine only."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCAL = {"127.0.0.1", "localhost", ""}  # "" is file:, data: and blob:


OVERFLOW = """() => {
  const scrolls = e => e !== document.body && (/auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const parts = [...document.querySelectorAll('body svg, body .cards, body select, body p')];
  const fixed = parts.filter(e => e.checkVisibility() && !scrolls(e.parentElement));
  return Math.max(document.documentElement.scrollWidth, ...fixed.map(e => e.getBoundingClientRect().right)) - innerWidth;
}"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server(arguments, environment, address, log):
    """The program in a process group of its own, answering at `address`; ended with its kernels, by that group's id."""
    with open(log, "wb") as output:
        child = subprocess.Popen(arguments, env=environment, stdout=output, stderr=output, start_new_session=True)
    try:
        wait_for(address, child, log)
        yield child
    finally:
        child.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # what is left of the group that it leads
        child.wait(5)


def wait_for(address, child, log, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert child.poll() is None, Path(log).read_text("utf-8", "replace")
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"no answer from {address} in {seconds} s: {Path(log).read_text('utf-8', 'replace')}")


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, driven by Playwright."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is absent")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


class Visit:
    """One page with what it asked for and what it complained about; requests that would leave are recorded and refused."""

    def __init__(self, browser, width=1366, height=768):
        self.context = browser.new_context(viewport={"width": width, "height": height})
        self.page = self.context.new_page()
        self.page.set_default_timeout(180_000)  # a wait ends when the thing is there; a loaded machine is slow
        self.left, self.errors, self.requests = [], [], []
        self.page.route("**/*", self._judge)
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _judge(self, route):
        address = route.request.url
        self.requests.append(address)
        if (urlsplit(address).hostname or "") in LOCAL:
            route.continue_()
        else:
            self.left.append(address)
            route.abort()

    def overflow(self):
        """Pixels by which the page, or a part that does not scroll by itself, is wider than the window."""
        return self.page.evaluate(OVERFLOW)

    def close(self):
        self.context.close()
