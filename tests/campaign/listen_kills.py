"""Kill a listening study in the middle of many listeners' answers, again and again, and count what was lost.

    python tests/campaign/listen_kills.py [--kills 10] [--clients 200]

An answer is lost when the page was told that it is kept and the file lacks it. The status is 1 when one was, or when a
trial has two answers.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
import numpy as np
import soundfile

from stereokit.data.listening import Listening

PAIRS, RATE = 40, 8_000
DRAW = np.random.default_rng()
WORDS = (sys.executable, "-m", "stereokit", "score", "listen")


def sounds(place):
    noise = np.random.default_rng(0)
    for side in "ab":
        (place / side).mkdir()
        for number in range(PAIRS):
            soundfile.write(place / side / f"{number}.wav", noise.uniform(-0.2, 0.2, (800, 2)), RATE)


def answering(client, name, told, conflicts):
    """Join and answer until the study is gone; each trial is sent twice, as two tabs would."""
    with contextlib.suppress(httpx.TransportError):
        state = client.post("join", json={"name": name, "again": True}).json()
        while (token := client.get(f"listener/{state['listener']}").json()["trial"]) is not None:
            client.get(f"sound/{token}/1")
            for word in ("1", "2"):
                answer = client.post("answer", json={"trial": token, "answer": word})
                if answer.status_code == 200:
                    told.append(token)
                conflicts[answer.status_code] = conflicts.get(answer.status_code, 0) + 1


def killed(place, clients, told):
    """Hold the study, let clients answer some hundred trials, and kill it; return how requests ended."""
    words = [*WORDS, str(place / "a"), str(place / "b"), "-o", str(place / "study.sqlite")]
    conflicts = {}
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as study:
        address = next(line for line in study.stderr if "listen at" in line).split()[-1]
        limits = httpx.Limits(max_connections=clients)
        with httpx.Client(base_url=address, limits=limits, timeout=60.0) as client:
            threads = [
                threading.Thread(target=answering, args=(client, f"listener {number}", told, conflicts))
                for number in range(clients)
            ]
            for thread in threads:
                thread.start()
            enough = len(told) + int(DRAW.integers(1, 300))
            while len(told) < enough and any(thread.is_alive() for thread in threads):
                time.sleep(0.01)
            study.kill()
            for thread in threads:
                thread.join()
    return conflicts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--clients", type=int, default=200)
    given = parser.parse_args()
    told = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        sounds(place)
        for kill in range(given.kills):
            answers = killed(place, given.clients, told)
            file = Listening(place / "study.sqlite")
            kept = {trial.token for trial in file.trials() if trial.answer is not None}
            file.close()
            lost, twice = len(set(told) - kept), len(told) - len(set(told))
            print(f"kill {kill + 1}: answers {answers}; told {len(told)}, kept {len(kept)}, lost {lost}, twice {twice}")
            if lost or twice:
                sys.exit(1)


if __name__ == "__main__":
    main()
