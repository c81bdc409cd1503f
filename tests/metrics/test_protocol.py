"""Protocols: what they are, what of them may be changed, and what they refuse."""

import re

import pytest

from stereokit import catalog
from stereokit.errors import BadInputError, UsageError
from stereokit.metrics.protocol import PROTOCOLS, Protocol, protocol_with


def test_the_papers_own_text_is_the_quantile_stsd_of_the_whole_clip() -> None:
    paper = protocol_with("paper")
    assert paper == Protocol(
        "paper", "stsd", "emd", is_full_range=False, length=None, length_samples=None, is_shape=False, sample_rate=None
    )
    assert paper.judged_frames(48_000) is None
    paper.check_clip(8000, 1)


def test_ml2020_is_the_shape_of_the_deviation_of_15872_samples() -> None:
    protocol = protocol_with("ml2020")
    assert (protocol.feature, protocol.distance, protocol.is_shape) == ("std", "emd", True)
    assert protocol.judged_frames(44_100) == 15_872
    protocol.check_clip(44_100, 15_872)


@pytest.mark.parametrize(
    ("rate", "frames", "words"),
    [(48_000, 48_000, "48000 Hz.*ml2020.*44100 Hz"), (44_100, 15_871, "15871 samples.*ml2020.*15872")],
)
def test_ml2020_refuses_other_rates_and_shorter_clips_by_name(rate: int, frames: int, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        protocol_with("ml2020").check_clip(rate, frames)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_naming_the_parts_that_a_protocol_has_changes_nothing(name: str) -> None:
    base = PROTOCOLS[name]
    same = protocol_with(
        name, feature=base.feature, distance=base.distance, is_full_range=base.is_full_range, is_shape=base.is_shape
    )
    assert same == base
    assert same.name == name


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("paper", {"feature": "std"}),
        ("paper", {"distance": "l1"}),
        ("paper", {"is_full_range": True}),
        ("paper", {"length": 0.4}),
        ("paper", {"is_shape": True}),
        ("ml2020", {"is_shape": False}),
        ("ml2020", {"feature": "stsd"}),
        ("ml2020", {"length": 0.3}),
    ],
)
def test_a_changed_part_gives_the_name_a_plus(name: str, change: dict[str, object]) -> None:
    protocol = protocol_with(name, **change)
    assert protocol.name == f"{name}+"
    for part, value in change.items():
        assert getattr(protocol, part) == value


def test_a_length_in_seconds_replaces_the_length_in_samples() -> None:
    protocol = protocol_with("ml2020", length=0.1)
    assert protocol.judged_frames(44_100) == 4410
    protocol.check_clip(44_100, 10)


def test_a_length_is_rounded_half_to_even_and_never_to_nothing() -> None:
    assert protocol_with("paper", length=2.5 / 8000).judged_frames(8000) == 2
    assert protocol_with("paper", length=1.5 / 8000).judged_frames(8000) == 2
    with pytest.raises(BadInputError, match=r"1e-05 s"):
        protocol_with("paper", length=0.00001).judged_frames(8000)


@pytest.mark.parametrize("feature", catalog.names("feature"))
def test_a_feature_brings_its_own_distance_unless_one_is_named(feature: str) -> None:
    own = catalog.load("feature", feature).distance
    assert protocol_with("paper", feature=feature).distance == own
    assert protocol_with("paper", feature=feature, distance="l2").distance == "l2"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"feature": "loudness"}, ["unknown feature 'loudness'", *catalog.names("feature")]),
        ({"distance": "cosine"}, ["unknown distance 'cosine'", *catalog.names("distance")]),
        ({"length": 0.0}, ["--length 0", "more than 0"]),
        ({"length": -1.5}, ["--length -1.5", "more than 0"]),
        ({"length": float("nan")}, ["--length nan", "more than 0"]),
        ({"length": float("inf")}, ["--length inf", "at most 600"]),
        ({"feature": "logmel", "distance": "emd"}, ["--distance emd", "logmel", "64", "l1", "l2"]),
        ({"feature": "std", "is_full_range": True}, ["--range full", "std", "stsd", "side-distance"]),
        ({"feature": "correlation", "is_shape": True}, ["--shape", "correlation", "stsd", "std"]),
        ({"feature": "pca-angle", "is_shape": True}, ["--shape", "pca-angle"]),
        ({"feature": "side-distance", "is_shape": True}, ["--shape", "side-distance"]),
    ],
)
def test_a_refusal_names_the_option_and_what_is_allowed(change: dict[str, object], words: list[str]) -> None:
    with pytest.raises(UsageError) as refusal:
        protocol_with("paper", **change)
    for word in words:
        assert re.search(rf"(?<!\w){re.escape(word)}", str(refusal.value)), word


def test_an_unknown_protocol_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown protocol 'ml2021'.*paper, ml2020"):
        protocol_with("ml2021")


def test_the_parts_that_a_refusal_offers_are_those_that_exist() -> None:
    features = {name: catalog.load("feature", name) for name in catalog.names("feature")}
    assert [name for name, feature in features.items() if feature.full_range] == ["side-distance", "stsd"]
    assert [name for name, feature in features.items() if feature.can_be_shape] == ["std", "stsd"]
