"""Attack the page of a review: kills in the middle, 200 clients at once, slow ones, requests that are not the page's.

    python tests/campaign/review_attack.py [--kills 20] [--clients 200] [--seconds 20]

Prints what was tried and what was lost; the status is 1 when anything was.
"""

import argparse
import contextlib
import json
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import soundfile

CLIPS = 60
WORDS = (sys.executable, "-c", "from stereokit.cli.start import main; main()", "label", "review")


def sounds(folder):
    """Write short tones."""
    folder.mkdir()
    seconds = np.arange(1000) / 22_050
    for number in range(CLIPS):
        soundfile.write(folder / f"tone{number:02}.wav", np.sin(600.0 * (1 + number) * seconds) / 2, 22_050)


@contextlib.contextmanager
def started(folder, decisions) -> Iterator[tuple[subprocess.Popen, str]]:
    """Serve a review and give its process and its address."""
    told = decisions.with_suffix(".txt")
    words = ("-o", str(decisions), "--classes", "a,b,c", "--layout", "pca", "--jobs", "1")
    with (
        told.open("w") as errors,
        subprocess.Popen([*WORDS, str(folder), *words], stdout=subprocess.DEVNULL, stderr=errors) as process,
    ):
        try:
            while "Ctrl-C ends" not in told.read_text():
                if process.poll() is not None:
                    sys.exit(told.read_text())
                time.sleep(0.05)
            yield process, re.findall(r"open (http\S+/)", told.read_text())[0]
        finally:
            process.kill()


def kept(folder, decisions):
    """Return the label of each clip that has one."""
    done = subprocess.run(
        [*WORDS, str(folder), "-o", str(decisions), "--results", "--json"], capture_output=True, text=True, check=True
    )
    rows = map(json.loads, done.stdout.splitlines())
    return {row["file_name"]: row["label"] for row in rows if row.get("file_name") and row["label"]}


def kills(folder, work, count):
    """Kill while decisions pour in; every one that was answered must be there afterwards. Return how many were not."""
    chance, lost, answered = random.Random(0), 0, 0  # noqa: S311 - nothing secret
    decisions = work / "kills.sqlite"
    known = {}
    for _ in range(count):
        with started(folder, decisions) as (process, address), httpx.Client(base_url=address) as page:
            names = page.get("set").json()["names"]
            seen = [one[3] for one in page.get("set").json()["verdicts"]]
            threading.Timer(chance.uniform(0.05, 1.0), process.send_signal, (signal.SIGKILL,)).start()
            asked = None
            with contextlib.suppress(httpx.TransportError):
                while True:
                    clip, label = chance.randrange(CLIPS), chance.choice("abc")
                    asked = names[clip], label
                    wish = {"listener": "x", "wishes": [[clip, label, seen[clip]]]}
                    seen[clip] = page.post("decide", json=wish).json()["verdicts"][0][3]
                    known[names[clip]] = label
                    answered += 1
        found = kept(folder, decisions)
        # the last one may have been written and not answered
        wrong = {name for name in known if found.get(name) != known[name] and (name, found.get(name)) != asked}
        lost += len(wrong)
        known = found
    print(f"kills: {count}, decisions answered: {answered}, lost: {lost}")
    return lost


def crowd(folder, work, clients, seconds):
    """Let many clients decide, look and listen at once, among silent and hostile ones. Return how much went wrong."""
    with started(folder, work / "crowd.sqlite") as (_, address):
        port = httpx.URL(address).port
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(clients // 4)]
        for number, one in enumerate(slow):
            one.sendall(
                b"GET /" if number % 2 else b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{"
            )
        limits = httpx.Limits(max_connections=clients)
        with httpx.Client(base_url=address, limits=limits, timeout=60.0) as page:
            crowd = [Client(page, port, number, time.monotonic() + seconds) for number in range(clients)]
            with ThreadPoolExecutor(clients) as pool:
                list(pool.map(Client.work, crowd))
            last = {one[0]: one[1] for one in page.get("set").json()["verdicts"] if one[1]}
            names = page.get("set").json()["names"]
        for one in slow:
            one.close()
    done, wrong = (sum((getattr(one, name) for one in crowd), Counter()) for name in ("done", "wrong"))
    if kept(folder, work / "crowd.sqlite") != {names[clip]: label for clip, label in last.items()}:
        wrong["decisions differ"] += 1
    print(f"clients: {clients} for {seconds} s beside {len(slow)} silent ones; {dict(done)}; wrong: {dict(wrong)}")
    return wrong.total()


class Client:
    """One of the crowd."""

    def __init__(self, page, port, number, end):
        self.page, self.port, self.number, self.end = page, port, number, end
        self.done, self.wrong = Counter(), Counter()
        self.seen = [0] * CLIPS
        self.chance = random.Random(number)  # noqa: S311 - nothing secret

    def work(self):
        """Send requests until the time is over."""
        kinds = {"decide": self.decide, "news": self.news, "sound": self.sound, "hostile": self.hostile}
        while time.monotonic() < self.end:
            kind = self.chance.choice(["decide", *kinds])
            try:
                answer, allowed = kinds[kind](self.chance.randrange(CLIPS))
            except httpx.TransportError as error:
                self.wrong[type(error).__name__] += 1
                continue
            self.done[f"{kind} {answer.status_code}"] += 1
            if answer.status_code not in allowed:
                self.wrong[f"{kind} {answer.status_code}"] += 1

    def decide(self, clip):
        wish = [clip, self.chance.choice("abc"), self.seen[clip]]
        answer = self.page.post("decide", json={"listener": f"x{self.number}", "wishes": [wish]})
        for verdict in answer.json()["verdicts"]:
            self.seen[verdict[0]] = verdict[3]
        return answer, (200, 409)

    def news(self, clip):
        return self.page.get(f"news?last={max(self.seen)}&lesson=0"), (200,)

    def sound(self, clip):
        return self.page.get(f"sound/{clip}"), (200,)

    def hostile(self, clip):
        address = f"http://127.0.0.1:{self.port}/{'x' * 32}/set"
        return self.page.get(address, headers={"origin": "http://evil.example"}), (403,)


def main():
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        sounds(work / "sounds")
        failed = kills(work / "sounds", work, words.kills) + crowd(work / "sounds", work, words.clients, words.seconds)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
