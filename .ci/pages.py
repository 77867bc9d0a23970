#!/usr/bin/env python3
"""The pages, as people use them, in Debian's Chromium: python .ci/pages.py PATH/TO/rating [--required] [--pictures FOLDER]

1. A month from nothing: the first start, a site, an occupier, its numbers and its main number, a published month from uploaded
   calls, the portal, the invitation, the occupier's download, whose total is the page's.
2. Every page that somebody can reach in the demo, in each role: no violation that axe-core knows of (WCAG 2.2 A and AA, best
   practices), in light and dark, wide and 320 pixels wide without scrolling sideways; no script error; no answer that is an error.

Without a browser it says so and does nothing; with --required that is a failure."""

import csv
import email
import email.policy
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import sync_playwright

AXE = Path(AXE_FILE_PATH).read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Pages of one kind that are looked at in each role.
OF_A_KIND = 2
ROOT = Path(__file__).resolve().parent.parent
# Debian's faketime: what is set up before a month begins is set up then.
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
PASSWORD = "four words that fit"
FOUND: list[str] = []


def found(what: str) -> None:
    FOUND.append(what)
    print(f"  FOUND  {what}", flush=True)


class Service:
    """A service in a folder of its own."""

    def __init__(self, binary: str, folder: Path, *options: str, now: str = ""):
        self.folder = folder
        self.out = folder / "out"
        clock = {"LD_PRELOAD": FAKETIME, "FAKETIME": f"@{now}", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"} if now else {}
        with self.out.open("wb") as out, (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--data", str(folder / "data"), "--listen", "127.0.0.1:0", "--requests-a-minute", "1000000", *options],
                stdout=out,
                stderr=log,
                env=os.environ | clock,
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
    path = re.sub(r"/(occupiers|sites|users|contracts|services|products|numbers|months|calls|sources|assignments|setup)/(?!new\b|other\b|settings\b)[^/]+", r"/\1/*", parts.path)
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
        context = browser.new_context(locale="en-GB", reduced_motion="reduce")
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


def tick(page, label: str) -> None:
    page.get_by_role("checkbox", name=label).check()


def cdr(serial: int, day: str, time_of: str, source: str, called: str, seconds: int) -> str:
    """A row of an Asterisk switch: an answered call through the carrier's trunk, five seconds of ringing."""
    start = datetime.fromisoformat(f"{day}T{time_of}")
    answer, end = start + timedelta(seconds=5), start + timedelta(seconds=5 + seconds)
    unique = int(start.replace(tzinfo=timezone.utc).timestamp())
    cells = ["", source, f"9{called}", "from-internal", f'"Desk" <{source}>', f"PJSIP/{source}-{serial:08x}", f"PJSIP/carrier1-{serial:08x}",
             "Dial", f"PJSIP/carrier1/{called},60,T", start.isoformat(" "), answer.isoformat(" "), end.isoformat(" "), str(seconds + 5),
             str(seconds), "ANSWERED", "DOCUMENTATION", f"{unique}.{serial}", ""]
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n"


def mail_to(service: Service, address: str) -> str:
    """The newest mail to somebody; without a mail server each is a file."""
    for _ in range(50):
        mails = sorted((service.folder / "data" / "mail").glob("*.eml"), key=lambda mail: mail.stat().st_mtime)
        for mail in reversed(mails):
            message = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
            if address in message["to"]:
                return message.get_content()
        time.sleep(0.1)
    sys.exit(f"no mail to {address}")


def a_month_from_nothing(browser, binary: str, folder: Path) -> None:
    """From the link that the service prints to the file that an occupier downloads, through pages alone."""
    last_day = date.today().replace(day=1) - timedelta(days=1)
    month, first = f"{last_day:%Y-%m}", f"{last_day:%Y-%m}-01"
    service = Service(binary, folder, now=f"{first} 09:00:00")
    here = service.address
    context = browser.new_context(locale="en-GB", accept_downloads=True, reduced_motion="reduce")
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    watch(page)

    # The first start.
    page.goto(service.said(r"(http://\S+/setup#\S+)"))
    looks(page, "the first start")
    for label, value in {"Company": "Quay Workspaces", "Short name": "quay", "Your name": "Ada", "Your e-mail address": "ada@example.com",
                         "Password": PASSWORD}.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Set up").click()
    page.wait_for_url(here + "/")
    looks(page, "home, with nothing there yet")

    # A site and what is sold there.
    page.goto(here + "/sites/new")
    for label, value in {"Id": "ldn", "Name": "London", "Time zone": "Europe/London", "Area code": "20", "Extensions": "2000-2099",
                         "Outside line": "9", "Cool-off": "30"}.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Country of its dial plan").select_option("GB")
    page.get_by_role("button", name="Add the site").click()
    page.wait_for_load_state()
    page.goto(here + "/tariffs")
    looks(page, "tariffs, none yet")
    page.goto(here + "/sites/ldn/products")
    looks(page, "products, none yet")
    for label, value in {"Id": "voice", "Name": "Voice", "Voice lines": "1", "Tariff": "retail-gb"}.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Add the product").click()
    page.wait_for_load_state()

    # Numbers.
    page.goto(here + "/sites/ldn/ranges")
    page.get_by_label("First number").fill("+442079460100")
    page.get_by_label("Last number").fill("+442079460109")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_load_state()

    # An occupier, by the guided set-up. One that is refused keeps what was typed.
    page.goto(here + "/occupiers/new")
    page.get_by_label("Name", exact=True).fill("Acme")
    page.get_by_label("First day").fill(first)
    page.get_by_label("Ends on").fill(first)
    page.get_by_role("button", name="Go on to services").click()
    page.wait_for_load_state()
    if "begin" not in page.get_by_role("alert").inner_text() or page.get_by_label("Name", exact=True).input_value() != "Acme":
        found("an occupier whose contract ends as it begins: it is not said, or what was typed is gone")
    looks(page, "an occupier that was refused")
    page.get_by_label("Ends on").fill("")
    page.get_by_role("button", name="Go on to services").click()
    page.wait_for_url("**/setup/ldn*")
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Add the service").click()
    page.wait_for_load_state()
    # The first voice service brought numbers; more lines bring none: those are allocated by hand, two at once.
    page.get_by_label("Quantity").fill("2")
    page.get_by_role("button", name="Add the service").click()
    page.wait_for_load_state()
    numbers = here + "/sites/ldn/numbers"
    page.goto(numbers)
    tick(page, "Tick +442079460109")
    page.get_by_text("More…").click()
    page.get_by_role("button", name="Nominate as main").click()
    page.wait_for_load_state()
    page.goto(numbers)
    for number in ("+442079460102", "+442079460109"):
        tick(page, f"Tick {number}")
    page.get_by_text("Allocate…").click()
    page.get_by_label("Occupier").select_option("acme")
    page.get_by_role("button", name="Allocate", exact=True).click()
    page.wait_for_load_state()
    page.goto(numbers + "?state=RESERVED")
    for number in ("+442079460102", "+442079460109"):
        tick(page, f"Tick {number}")
    page.get_by_role("button", name="Activate", exact=True).click()
    page.wait_for_load_state()
    page.goto(numbers + "?state=ACTIVE")
    if page.get_by_role("checkbox", name="Tick +").count() != 4:
        found(f"not four active numbers: {page.locator('main').inner_text()[-800:]}")
    looks(page, "numbers of a site")

    # The main number: where its calls go, and what happens at a time outside business hours.
    main_number = numbers + "/%2B442079460109/main"
    page.goto(main_number)
    looks(page, "a main number that nobody has configured")
    inside = page.get_by_role("group", name="Inside business hours")
    inside.get_by_label("Calls go to").select_option(label="the hunt group")
    page.get_by_role("group", name="Outside business hours").get_by_label("Calls go to").select_option(label="voicemail")
    page.get_by_label("Voicemail by e-mail to").fill("reception@acme.example")
    page.get_by_role("button", name="Save").click()
    page.wait_for_load_state()
    page.get_by_label("At", exact=True).fill(f"{date.today().year + 1}-01-02T03:00")
    page.get_by_role("button", name="See").click()
    page.wait_for_load_state()
    answer = page.locator("section.answer .note").inner_text()
    if "outside business hours" not in answer or "voicemail" not in answer:
        found(f"someone who rings at night: {answer}")
    looks(page, "a main number")

    # What calls cost, and the switch.
    for name in ("retail-gb.csv", "retail-gb.toml"):
        page.goto(here + "/tariffs")
        page.get_by_label("Folder").select_option("tariffs")
        page.get_by_label("Another file, in the place of the one that has its name").set_input_files(ROOT / "testdata/demo/tariffs" / name)
        page.get_by_role("button", name="Upload").click()
        page.wait_for_load_state()
    looks(page, "tariffs of which the first was just kept")
    page.goto(here + "/tariffs/price")
    page.get_by_label("Number at the other end").fill("01614960123")
    page.get_by_label("Tariff").select_option("retail-gb")
    page.get_by_label("Talk time in seconds").fill("61")
    page.get_by_role("button", name="Price it").click()
    page.wait_for_load_state()
    if "What it costs" not in page.locator("main").inner_text():
        found(f"a call is not priced: {page.locator('main').inner_text()[:600]}")
    page.goto(here + "/sources")
    for label, value in {"Short name": "ldn-pbx", "Zone of its clock": "Europe/London",
                         "Further settings": 'trunks = ["PJSIP/carrier*"]'}.items():
        page.get_by_label(label).fill(value)
    page.get_by_label("What it writes").select_option("asterisk")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_load_state()

    # The month goes by.
    service.stop()
    service = Service(binary, folder)
    here = service.address
    sign_in(page, here, "ada@example.com", PASSWORD)

    # The month, from the switch's file. Two calls of 61 s by day: 61 s x 2.4 p/min + 3 p = 5.44 p, at 0.1 p upwards 5.5 p each.
    monday = next(day for day in (last_day.replace(day=number) for number in range(8, 15)) if day.weekday() == 0)
    calls = "".join(cdr(100 + 2 * n, str(monday), f"1{n}:00:00", f"200{n}", "01614960123", 61) for n in range(2))
    page.goto(f"{here}/months/{month}")
    looks(page, "a month of which nothing is there yet")
    page.get_by_label("Files of ldn-pbx").set_input_files({"name": "Master.csv", "mimeType": "text/csv", "buffer": calls.encode()})
    page.get_by_role("button", name="Upload").click()
    page.get_by_text("1 file, the last by name Master.csv").wait_for()
    page.get_by_role("button", name="Check").first.click()
    page.get_by_role("button", name="Approve these figures").wait_for()
    looks(page, "a month that is checked")
    page.get_by_role("button", name="Approve these figures").click()
    page.get_by_role("button", name="Publish").wait_for()
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("heading", name="In force").wait_for()
    page.wait_for_load_state()
    figures = page.locator("main").inner_text()
    if "0.11 GBP" not in figures and "0.110 GBP" not in figures:
        found(f"the month's page does not say 0.11 GBP: {figures[:1500]}")
    looks(page, "a published month")

    # The portal. The customer system brings whom to write to.
    page.goto(here + "/occupiers/acme")
    page.get_by_role("textbox", name="System").first.fill("crm")
    page.get_by_role("textbox", name="Identifier").first.fill("A-1")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state()
    page.goto(here + "/settings/tokens")
    page.get_by_label("What it is for").fill("customer system")
    page.get_by_role("checkbox", name="sync").check()
    page.get_by_role("button", name="Make the token").click()
    page.wait_for_load_state()
    secret = page.locator("main code, main b, main input[readonly]").first
    secret = secret.input_value() if secret.evaluate("e => e.tagName") == "INPUT" else secret.inner_text()
    contact = {"name": "Wile", "email": "wile@acme.example", "phone": "+442079460999"}
    request = urllib.request.Request(
        here + "/api/v1/occupiers/by-external-id/crm/A-1", json.dumps({"name": "Acme", "contact": contact}).encode(),
        {"authorization": f"Bearer {secret}", "content-type": "application/json"}, method="PUT",
    )
    urllib.request.urlopen(request).close()
    page.goto(here + "/occupiers/acme/portal")
    looks(page, "a portal before it is active")
    for label in ("Charges, summed by extension", "Each call", "The month so far", "What is left of allowances"):
        tick(page, label)
    page.get_by_label("Name", exact=True).fill("Ann")
    page.get_by_label("E-mail address").fill("ann@acme.example")
    page.get_by_role("button", name="Show the mail").click()
    page.wait_for_load_state()
    preview = page.locator("pre.mail").inner_text()
    looks(page, "a portal with the mail as it would be sent")
    page.get_by_role("button", name="Activate and send the mail").click()
    page.wait_for_load_state()
    sent = mail_to(service, "ann@acme.example")
    if [line for line in preview.split() if "#" not in line] != [line for line in sent.split() if "#" not in line]:
        found(f"the mail is not the one that was shown:\n{preview}\n{sent}")

    # The occupier: from its mail to its file in three clicks.
    context = browser.new_context(locale="en-GB", accept_downloads=True, reduced_motion="reduce")
    page = context.new_page()
    watch(page)
    page.goto(re.search(r"http://\S+/join#\S+", sent).group(0))
    looks(page, "an invitation")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Choose it").click()
    page.wait_for_url(here + "/")
    looks(page, "an occupier's first page")
    total = page.locator(".card", has_text="Cost").locator(".big").inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("CSV.*Itemised", re.I)).first.click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    cost = next(name for name in rows[0] if "cost" in name.lower())
    charged = sum(Decimal(row[cost]) for row in rows if row[cost] and row is not rows[-1] or row[cost] and len(rows) == 2)
    if Decimal(total.split()[0]) != charged or charged != Decimal("0.11"):
        found(f"the page says {total}, the file {charged}: {rows}")
    for foreign in ("/occupiers/birch", "/calls/2020-01/x", "/api/v1/occupiers/birch", f"/months/{month}"):
        status = page.goto(here + foreign).status
        if status not in (403, 404):
            found(f"{foreign} answers {status} to an occupier")
    service.stop()
    print("a month from nothing, through pages alone: done", flush=True)


def main() -> int:
    arguments = sys.argv[1:]
    binary = arguments[0]
    browser_path = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
    if browser_path is None:
        print("no Chromium is installed: the pages are not looked at (apt-get install chromium)")
        return 1 if "--required" in arguments else 0
    if not Path(FAKETIME).exists():
        print("no faketime is installed: the pages are not looked at (apt-get install faketime)")
        return 1 if "--required" in arguments else 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        new = Path(folder) / "new"
        new.mkdir()
        a_month_from_nothing(browser, binary, new)
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
