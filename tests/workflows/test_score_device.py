"""``stereokit score --device``: where neighbours are searched."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from stereokit.metrics.embedding import embedding_protocol
from stereokit.metrics.protocol import Protocol, protocol_with
from stereokit.workflows import score_device
from stereokit.workflows.score_device import model_device, search_device

Run = Callable[..., SimpleNamespace]
STSD, LOGMEL, EMBEDDING = protocol_with("paper"), protocol_with("paper", feature="logmel"), embedding_protocol()


def sets(count: int, *shape: int) -> list[SimpleNamespace]:
    clip = SimpleNamespace(sequence=np.zeros(shape))
    return [SimpleNamespace(clips=[(None, clip)] * count)] * 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for k in range(3):
        soundfile.write(tmp_path / f"{k}.wav", np.random.default_rng(k).uniform(-0.5, 0.5, (800, 2)), 8_000)
    return tmp_path


@pytest.mark.parametrize(
    ("protocol", "count", "shape", "device"),
    [
        (STSD, 1_152, (37, 1), None),
        (STSD, 40_000, (37, 1), "cuda"),
        (LOGMEL, 400, (20, 64), None),
        (LOGMEL, 2_000, (20, 64), "cuda"),
        (EMBEDDING, 2_000, (1, 128), None),
        (EMBEDDING, 8_000, (1, 128), "cuda"),
    ],
)
def test_auto_takes_the_gpu_for_large_sets(
    monkeypatch: pytest.MonkeyPatch, protocol: Protocol, count: int, shape: tuple[int, int], device: str | None
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert search_device("auto", sets(count, *shape), protocol) == device
    assert search_device("cpu", sets(count, *shape), protocol) is None
    assert search_device("cuda", sets(count, *shape), protocol) == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert search_device("auto", sets(count, *shape), protocol) is None


def test_auto_without_torch_is_the_processor(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_device, "_LIMIT_S", 0.0)
    monkeypatch.setitem(sys.modules, "torch", None)
    done = run("score", folder, folder)
    assert (done.status, done.rows[0]["device"]) == (0, "cpu")


def test_a_model_computes_where_there_is_a_gpu_and_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for has_gpu in (True, False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda has_gpu=has_gpu: has_gpu)
        assert [model_device(name) for name in ("auto", "cpu", "cuda")] == ["cuda" if has_gpu else "cpu", "cpu", "cuda"]


@pytest.mark.gpu
def test_the_gpu_gives_the_scores_of_the_processor(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = run("score", folder, folder, "--device", "cpu").rows[0]
    monkeypatch.setattr(score_device, "_LIMIT_S", 0.0)
    there = run("score", folder, folder).rows[0]
    assert (here["device"], there["device"]) == ("cpu", "cuda")
    assert there["mmd"] == pytest.approx(here["mmd"], rel=1e-12, abs=1e-15)
