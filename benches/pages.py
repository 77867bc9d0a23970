#!/usr/bin/env python3
"""How fast pages answer over a month of a million calls.

    python3 benches/pages.py target/release/rating                  1,000,000 calls, 50 requests a second for 60 seconds
    CALLS=100000 RATE=20 SECONDS=20 python3 benches/pages.py ...    less

Starts the demo, adds calls to its last month until there are so many (the demo's own, again, under other ids), publishes it anew and
asks for pages as an occupier's administrator and as the operator's: each address in its turn, each request at its time, whether or
not the one before is answered (a slow answer does not slow the asking). A request's time is counted from when it was due."""

import csv
import io
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

CALLS = int(os.environ.get("CALLS", "1000000"))
RATE = int(os.environ.get("RATE", "50"))
SECONDS = int(os.environ.get("SECONDS", "60"))


class Client:
    """Somebody who is signed in."""

    def __init__(self, address: str, email: str, password: str):
        self.address = address
        self.cookie = ""
        body = json.dumps({"email": email, "password": password}).encode()
        request = urllib.request.Request(address + "/api/v1/session", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            self.cookie = answer.headers["set-cookie"].split(";")[0]

    def ask(self, method: str, path: str, body: bytes | None = None, media: str = "application/json"):
        headers = {"cookie": self.cookie, "origin": self.address, "content-type": media}
        request = urllib.request.Request(self.address + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=900) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def more(text: str, copies: int) -> bytes:
    """The same calls again, so many times, each under an id of its own."""
    rows = list(csv.reader(io.StringIO(text)))
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for copy in range(1, copies + 1):
        for row in rows:
            # The last but one cell is the unique id: seconds and a serial number.
            seconds, serial = row[-2].split(".")
            writer.writerow([*row[:-2], f"{seconds}.{int(serial) + copy * 10_000_000}", row[-1]])
    return out.getvalue().encode()


def done(ada: Client, month: str) -> dict:
    """Waits for what is under way of a month."""
    while True:
        state = ada.ask("GET", f"/api/v1/months/{month}")
        if not state.get("job") and not state.get("running"):
            return state
        time.sleep(0.5)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        with out.open("wb") as said, (Path(folder) / "log").open("wb") as log:
            command = [sys.argv[1], "serve", "--demo", "--data", f"{folder}/data", "--listen", "127.0.0.1:0"]
            service = subprocess.Popen([*command, "--requests-a-minute", "1000000"], stdout=said, stderr=log)
        try:
            while not (listens := re.search(r"^listening on (\S+)", out.read_text(), re.M)):
                time.sleep(0.2)
            measure(listens.group(1), out.read_text(), Path(folder) / "data")
        finally:
            service.terminate()
            service.wait()


def measure(address: str, said: str, data: Path) -> None:
    password = re.search(r"password +(.+?)   ", said).group(1)
    month = re.search(r"(\d{4}-\d\d) is published", said).group(1)
    people = re.findall(r"^  (\S+@\S+) ", said, re.M)
    ada, alice = (Client(address, email, password) for email in (people[0], people[-1]))
    sources = ada.ask("GET", "/api/v1/sources")
    sources = sources["items"] if isinstance(sources, dict) else sources
    files = [next((data / "cdr" / source["id"]).glob(f"*{month}*")) for source in sources]
    there = sum(len(file.read_text().splitlines()) for file in files)
    copies = max(0, CALLS // there)
    for source, file in zip(sources, files):
        if copies:
            ada.ask("PUT", f"/api/v1/sources/{source['id']}/files/More-{month}.csv", more(file.read_text(), copies), "text/csv")
    begun = time.monotonic()
    before = {run["run"] for run in ada.ask("GET", f"/api/v1/months/{month}").get("runs", [])}
    ada.ask("POST", f"/api/v1/months/{month}/checks", b"")
    runs = [run["run"] for run in done(ada, month).get("runs", []) if run["run"] not in before]
    body = json.dumps({"run": runs[0]}).encode()
    ada.ask("POST", f"/api/v1/months/{month}/approvals", body)
    ada.ask("POST", f"/api/v1/months/{month}/publications", body)
    done(ada, month)
    print(f"{there * (copies + 1):,} records, checked and published in {time.monotonic() - begun:.0f} s")

    session = alice.ask("GET", "/api/v1/session")
    occupier = session["user"]["occupier"]
    wanted = [
        (alice, "/"), (alice, f"/?month={month}"), (alice, "/calls"), (alice, f"/calls?month={month}&search=44"), (alice, "/numbers"),
        (ada, "/"), (ada, "/occupiers"), (ada, f"/occupiers/{occupier}"), (ada, f"/occupiers/{occupier}/charges"), (ada, f"/months/{month}"),
    ]
    took, failed = defaultdict(list), defaultdict(int)
    kept = threading.local()

    def one(client: Client, path: str, due: float) -> None:
        time.sleep(max(0.0, due - time.monotonic()))
        if not hasattr(kept, "connection"):
            kept.connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
        kept.connection.request("GET", path, headers={"cookie": client.cookie, "accept": "text/html"})
        answer = kept.connection.getresponse()
        answer.read()
        took[path if client is alice else f"{path} (operator)"].append(time.monotonic() - due)
        if answer.status != 200:
            failed[path] += 1

    for client, path in wanted:
        one(client, path, time.monotonic())
    first = {path: times[0] for path, times in took.items()}
    took.clear()
    start = time.monotonic() + 0.5
    with ThreadPoolExecutor(64) as pool:
        for index in range(RATE * SECONDS):
            client, path = wanted[index % len(wanted)]
            pool.submit(one, client, path, start + index / RATE)
    every = sorted(time for times in took.values() for time in times)
    at = lambda times, share: sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000
    print(f"{'page':45} {'requests':>8} {'first':>8} {'p50':>8} {'p95':>8} {'p99':>8}   (ms)")
    for path, times in took.items():
        print(f"{path:45} {len(times):8} {first[path] * 1000:8.1f} {statistics.median(times) * 1000:8.1f} {at(times, .95):8.1f} {at(times, .99):8.1f}")
    print(f"{'all':45} {len(every):8} {'':8} {statistics.median(every) * 1000:8.1f} {at(every, .95):8.1f} {at(every, .99):8.1f}")
    if failed:
        sys.exit(f"not answered with 200: {dict(failed)}")


if __name__ == "__main__":
    main()
