"""Pitch classes as people write them into file names."""

import pytest

from stereokit.data.pitch_names import PITCH_CLASSES, pitch_in_name


@pytest.mark.parametrize(
    ("name", "pitch"),
    [
        ("stab_F#.wav", "F#"),
        ("stab 01 Bbmin.wav", "A#"),
        ("Pad-C3.flac", "C"),
        ("Cb.wav", "B"),
        ("E♭maj7 (wide).wav", "D#"),
        ("A_Stab_G#m.wav", "G#"),
        ("C/kick.wav", None),
        ("Big Bass.wav", None),
        ("a.wav", None),
        ("As you like.wav", None),
        ("H.wav", None),
        ("808.wav", None),
    ],
)
def test_a_pitch_is_a_word_of_its_own_and_the_last_one_counts(name: str, pitch: str | None) -> None:
    assert pitch_in_name(name) == pitch


def test_every_pitch_class_names_itself() -> None:
    assert [pitch_in_name(f"x {name} y.wav") for name in PITCH_CLASSES] == list(PITCH_CLASSES)
