"""Sounds for a page: one file is decoded at a time, whoever asks."""

import threading
from pathlib import Path

import numpy as np
import soundfile

from stereokit.serving import sounds
from stereokit.serving.sounds import Kept, first_minute, playable


def test_two_sets_of_contents_never_decode_at_the_same_time(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(100, 0.5), 22_050)
    read, others, meet = sounds.read, [], threading.Barrier(2)
    reading = threading.Semaphore(1)

    def watched(path: Path):
        others.append(not reading.acquire(blocking=False))
        # time for another to come in
        threading.Event().wait(0.05)
        reading.release()
        return read(path)

    monkeypatch.setattr(sounds, "read", watched)

    def ask(kept: Kept) -> None:
        meet.wait()
        kept[0]

    threads = [threading.Thread(target=ask, args=(Kept(lambda _: playable(first_minute(path))),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert others == [False, False]
