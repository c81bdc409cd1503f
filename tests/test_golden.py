"""The golden scores of real recordings, to the ninth decimal."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from stereokit.metrics.measure import measure_file
from stereokit.metrics.protocol import protocol_with

pytestmark = pytest.mark.data

# Beside the numbers that a case expects, what its words are on the command line.
WORDS: dict[str, Callable[[object], list[str]]] = {
    "protocol": lambda value: ["--protocol", str(value)],
    "feature": lambda value: ["--feature", str(value)],
    "length_s": lambda value: ["--length", str(value)],
    "normalize": lambda value: ["--shape"] if value else [],
    "sizes": lambda value: ["--sizes", str(value)],
}
NO_WORDS = {"gen", "ref", "cov", "mmd", "nna", "note"}


@pytest.fixture(scope="module")
def golden(test_data: Path) -> dict:
    return json.loads((test_data / "golden" / "score.json").read_text())


@pytest.mark.parametrize("number", range(7))
def test_a_golden_case_is_reproduced(
    golden: dict, test_data: Path, run: Callable[..., SimpleNamespace], number: int
) -> None:
    case = golden["cases"][number]
    assert set(case) <= NO_WORDS | set(WORDS), "a word of this case has no option here"
    options = [word for key in case if key in WORDS for word in WORDS[key](case[key])]
    done = run("score", test_data / "golden" / case["gen"], test_data / "golden" / case["ref"], *options)
    assert (done.status, done.rows[-1]["failed"]) == (0, [])
    for name in ("cov", "mmd", "nna"):
        assert done.rows[-1][name] == pytest.approx(case[name], rel=0, abs=1e-9), name


def test_every_golden_case_is_tried(golden: dict) -> None:
    assert len(golden["cases"]) == 7


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("stsd_first_values_of_first_gen_file_quantile", {}),
        ("stsd_first_values_of_first_gen_file_std_normalized", {"feature": "std", "length": 0.4, "is_shape": True}),
    ],
)
def test_the_first_values_of_the_first_file_are_reproduced(
    golden: dict, test_data: Path, key: str, options: dict
) -> None:
    folder = test_data / "golden"
    paths = [folder / line for line in (folder / "gen.txt").read_text().splitlines() if line]
    protocol = protocol_with("paper", **options)
    sequence = measure_file(str(min(paths, key=os.fsencode)), protocol).sequence[:, 0]
    if protocol.is_shape:
        sequence = sequence / sequence.sum()
    # They are written with nine decimals.
    np.testing.assert_allclose(sequence[: len(golden[key])], golden[key], rtol=0, atol=5.1e-10)
