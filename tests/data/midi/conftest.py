"""Fixtures of MIDI."""

from collections.abc import Callable
from pathlib import Path

import pytest
import toy_midi


@pytest.fixture(scope="session")
def font_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write a SoundFont of these presets; see ``toy_midi.font_bytes``."""

    def write(presets: dict[tuple[int, int], list[list[tuple[int, int]]]], harmonics: int = 1) -> Path:
        path = tmp_path_factory.mktemp("font") / "test.sf2"
        path.write_bytes(toy_midi.font_bytes(presets, harmonics))
        return path

    return write


@pytest.fixture(scope="session")
def font(font_of: Callable[..., Path]) -> Path:
    return font_of(toy_midi.PRESETS)
