#!/usr/bin/env python3
"""The pages, as people use them, in Debian's Chromium: python .ci/pages.py PATH/TO/rating [--required] [--pictures FOLDER]

1. A month from nothing: the first start, a site, an occupier, its numbers and its main number, a published month from uploaded
   calls, the portal, the invitation, the occupier's download, whose total is the page's.
2. Every page that somebody can reach in the demo, in each role: no violation that axe-core knows of (WCAG 2.2 A and AA, best
   practices), in light and dark, wide and 320 pixels wide without scrolling sideways; no script error; no answer that is an error.

Without a browser it says so and does nothing; with --required that is a failure."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import sync_playwright

AXE = Path(AXE_FILE_PATH).read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Pages of one kind that are looked at in each role.
OF_A_KIND = 2
FOUND: list[str] = []


def found(what: str) -> None:
    FOUND.append(what)
    print(f"  FOUND  {what}", flush=True)


class Service:
    """A service in a folder of its own."""

    def __init__(self, binary: str, folder: Path, *options: str):
        self.folder = folder
        self.out = folder / "out"
        with self.out.open("wb") as out, (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--data", str(folder / "data"), "--listen", "127.0.0.1:0", "--requests-a-minute", "1000000", *options],
                stdout=out,
                stderr=log,
            )
        self.address = self.said(r"^listening on (\S+)")

    def said(self, pattern: str) -> str:
        for _ in range(1200):
            match = re.search(pattern, self.out.read_text(encoding="utf-8"), re.MULTILINE)
            if match:
                return match.group(1)
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        sys.exit(f"the service did not say {pattern!r}:\n{self.out.read_text()}\n{(self.folder / 'log').read_text()[-2000:]}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def kind(address: str) -> str:
    """Which page it is, whatever it is about."""
    parts = urlsplit(address)
    path = re.sub(r"(?<=/)(\+?\d[^/]*|(?<=/occupiers/)(?!new\b)[^/]+|(?<=/sites/)(?!new\b)[^/]+)", "*", parts.path)
    path = re.sub(r"(?<=/calls/\*/)[^/]+", "*", path)
    return path + "?" + ",".join(sorted(parse_qs(parts.query)))


def sign_in(page, address: str, email: str, password: str) -> None:
    page.goto(address + "/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(address + "/")


def axe(page, where: str) -> None:
    """What axe-core has to say about a page as it is now."""
    page.evaluate(AXE)
    report = page.evaluate(
        "(tags) => axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] })", TAGS
    )
    for violation in report["violations"]:
        nodes = "; ".join(f"{' '.join(map(str, node['target']))}: {node['html'][:120]}" for node in violation["nodes"][:3])
        found(f"{where}: {violation['id']}: {violation['help']} ({len(violation['nodes'])}): {nodes}")


def looks(page, where: str, both: bool = True) -> None:
    """A page in light and dark, wide and narrow."""
    page.set_viewport_size({"width": 1280, "height": 900})
    axe(page, where)
    if not both:
        return
    page.emulate_media(color_scheme="dark")
    axe(page, f"{where} (dark)")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 320, "height": 700})
    axe(page, f"{where} (320 wide)")
    width = page.evaluate("document.scrollingElement.scrollWidth")
    if width > 320:
        widest = page.evaluate(
            "[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > 321 && !e.closest('.table'))"
            ".slice(0, 3).map((e) => e.outerHTML.slice(0, 80)).join('; ')"
        )
        found(f"{where}: {width} pixels wide at 320: {widest}")
    page.set_viewport_size({"width": 1280, "height": 900})


def watch(page) -> None:
    """Script errors and what the browser does not take are findings."""
    page.on("pageerror", lambda error: found(f"{page.url}: script error: {error}"))
    page.on("console", lambda said: found(f"{page.url}: {said.text}") if said.type == "error" and "status of 4" not in said.text else None)
    page.on("request", lambda asked: None if asked.url.startswith(("http://127.0.0.1:", "data:", "blob:")) else found(f"{page.url} asks {asked.url}"))


def every_page(browser, service: Service) -> None:
    """Every page that each of the demo's people can reach."""
    password = service.said(r"password +(\S+(?: \S+)*?)   ")
    people = re.findall(r"^  (\S+@\S+) +(.+)$", service.out.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(people) >= 3, people
    for email, what in people:
        context = browser.new_context(locale="en-GB")
        page = context.new_page()
        watch(page)
        sign_in(page, service.address, email, password)
        seen, kinds, queue, looked = set(), defaultdict(int), [service.address + "/"], 0
        while queue:
            address = queue.pop(0)
            if address in seen or kinds[kind(address)] >= OF_A_KIND:
                continue
            seen.add(address)
            kinds[kind(address)] += 1
            answer = page.goto(address)
            if answer is None or answer.status >= 400:
                found(f"{address} answers {answer and answer.status} to {email}")
                continue
            if "text/html" not in answer.headers.get("content-type", ""):
                continue
            looked += 1
            looks(page, f"{address} as {email}", both=kinds[kind(address)] == 1)
            for link in page.eval_on_selector_all("a[href]:not([download])", "links => links.map((link) => link.href)"):
                link = urljoin(address, link).split("#")[0]
                path = urlsplit(link).path
                if link.startswith(service.address) and not path.startswith(("/api/", "/assets/")):
                    queue.append(link)
        print(f"{looked:4} pages as {email} ({what})", flush=True)
        context.close()


def main() -> int:
    arguments = sys.argv[1:]
    binary = arguments[0]
    browser_path = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    if browser_path is None:
        print("no Chromium is installed: the pages are not looked at (apt-get install chromium)")
        return 1 if "--required" in arguments else 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        demo = Path(folder) / "demo"
        demo.mkdir()
        service = Service(binary, demo, "--demo")
        try:
            every_page(browser, service)
        finally:
            service.stop()
        browser.close()
    print(f"{len(FOUND)} findings")
    return 1 if FOUND else 0


if __name__ == "__main__":
    sys.exit(main())
