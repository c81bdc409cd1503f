"""The log of a run: whole lines, and none twice."""

import json
from pathlib import Path

import pytest

from stereokit.errors import OutputError
from stereokit.training.journal import append_line, cut_after


def steps(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()]


def test_lines_are_added_in_order(tmp_path: Path) -> None:
    for step in (1, 2, 2, 3):
        append_line(tmp_path, {"step": step})
    assert steps(tmp_path) == [1, 2, 2, 3]


def test_lines_after_the_checkpoint_and_half_lines_are_dropped(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        append_line(tmp_path, {"step": step})
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"event": "step"}\n[1]\nnonsense\n{"step": "2"}\n{"step": 2')
    cut_after(tmp_path, 3)
    assert steps(tmp_path) == [1, 2, 3]
    assert (tmp_path / "log.jsonl").read_bytes().endswith(b"\n")


def test_a_run_without_a_log_has_nothing_to_cut(tmp_path: Path) -> None:
    cut_after(tmp_path, 3)
    assert not list(tmp_path.iterdir())


def test_nan_is_no_figure_of_a_log(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_line(tmp_path, {"step": 1, "loss": float("nan")})


def test_a_log_in_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"log\.jsonl: No such file"):
        append_line(tmp_path / "gone", {"step": 1})
