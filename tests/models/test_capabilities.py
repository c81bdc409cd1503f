"""Sampling in blocks: a clip is the same whichever clips are asked for."""

from collections.abc import Iterator

import pytest
import torch
import toy_family

from stereokit.errors import UsageError
from stereokit.models._capabilities import PROTOCOLS, drawn_labels, require, sample_blocks
from stereokit.training.trainer import Model, NonFiniteError


@pytest.fixture(autouse=True)
def _toys() -> Iterator[None]:
    with toy_family.installed():
        yield


@pytest.fixture
def model() -> Model:
    torch.manual_seed(0)
    return toy_family.Model(toy_family.ToyConfig()).eval()


def sampled(model: Model, count: int, seed: int = 0, **options: object) -> torch.Tensor:
    return torch.cat(list(sample_blocks(model, count, seed, **options)))


@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 11])
def test_as_many_clips_come_as_are_asked_for_and_the_first_ones_do_not_depend_on_how_many(
    model: Model, count: int
) -> None:
    clips = sampled(model, count)
    assert clips.shape == (count, 2, 800)
    assert clips.dtype == torch.float32
    assert torch.equal(clips, sampled(model, 12)[:count])


@pytest.mark.parametrize(("first", "count"), [(0, 2), (1, 2), (3, 2), (4, 4), (7, 5), (9, 1)])
def test_clips_are_the_same_wherever_the_asking_starts(model: Model, first: int, count: int) -> None:
    assert torch.equal(sampled(model, count, first=first), sampled(model, 12)[first : first + count])


def test_another_seed_gives_other_clips_and_no_two_clips_are_alike(model: Model) -> None:
    clips = torch.cat([sampled(model, 6), sampled(model, 6, seed=1)])
    assert len(torch.unique(clips.flatten(1), dim=0)) == 12


def test_nothing_but_the_seed_decides(model: Model) -> None:
    torch.manual_seed(1)
    first = sampled(model, 3)
    torch.manual_seed(2)
    state = torch.random.get_rng_state()
    assert torch.equal(sampled(model, 3), first)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_each_clip_gets_its_own_condition(model: Model) -> None:
    classes = torch.tensor([0, 1, 0, 1, 1, 0])
    clips = sampled(model, 6, condition=classes)
    plain, other = sampled(model, 6, condition=classes * 0), sampled(model, 6, condition=classes * 0 + 1)
    assert torch.equal(clips, torch.where(classes[:, None, None] > 0, other, plain))
    assert torch.equal(sampled(model, 3, first=2, condition=classes[2:5]), clips[2:5])


def test_labels_are_drawn_as_often_as_the_data_have_them_and_belong_to_the_number_of_a_clip() -> None:
    config = toy_family.ToyConfig(labels=("a", "b", "c"), label_counts=(6, 0, 2))
    drawn = drawn_labels(config, 0, range(2_000))
    assert drawn.dtype == torch.int64
    counts = torch.bincount(drawn, minlength=3).tolist()
    assert counts[1] == 0
    # three standard deviations of 2,000 draws
    assert counts[2] == pytest.approx(500, abs=60)
    assert torch.equal(drawn_labels(config, 0, [7, 3]), drawn[[7, 3]])
    assert not torch.equal(drawn_labels(config, 1, range(2_000)), drawn)
    assert drawn_labels(toy_family.ToyConfig(), 0, range(4)) is None


def test_a_model_with_labels_is_told_drawn_ones_unless_others_are_given() -> None:
    torch.manual_seed(0)
    model = toy_family.Model(toy_family.ToyConfig(labels=("a", "b"), label_counts=(1, 1))).eval()
    drawn = drawn_labels(model.config, 3, range(5))
    assert drawn.unique().tolist() == [0, 1]
    assert torch.equal(sampled(model, 5, 3), sampled(model, 5, 3, condition=drawn))
    assert torch.equal(sampled(model, 2, 3, first=3), sampled(model, 5, 3)[3:])
    assert not torch.equal(sampled(model, 5, 3), sampled(model, 5, 3, condition=1 - drawn))


def test_clips_that_are_not_finite_are_refused(model: Model) -> None:
    model.layers[0].weight.data.fill_(3e38)
    with pytest.raises(NonFiniteError, match="NaN"):
        sampled(model, 3)


def test_a_model_without_the_method_or_with_another_shape_is_a_mistake_in_the_program(model: Model) -> None:
    model.frames += 1
    model.sample = lambda draw, condition: torch.zeros(draw.count, 2, 800)
    with pytest.raises(TypeError, match=r"\(4, 2, 801\)"):
        sampled(model, 1)


def test_a_family_that_cannot_is_told_with_those_that_can(monkeypatch: pytest.MonkeyPatch) -> None:
    require(toy_family.FAMILY, "sampler", "generate")
    with pytest.raises(UsageError, match=r"^generate needs a sampler, and deaf is none: train one of .*toy"):
        require(toy_family.DEAF, "sampler", "generate")
    with pytest.raises(UsageError, match=r"^transfer needs a converter, and toy is none: train one of .*enhancer"):
        require(toy_family.FAMILY, "converter", "transfer")
    monkeypatch.setattr("stereokit.catalog.names", lambda kind: [toy_family.DEAF.name])
    with pytest.raises(UsageError, match=r"\(none yet\)"):
        require(toy_family.FAMILY, "converter", "transfer")


def test_every_capability_has_its_form() -> None:
    assert set(PROTOCOLS) == {
        "sampler", "interpolator", "encoder", "critic", "converter", "translator", "labeller", "embedder",
    }  # fmt: skip
    model = toy_family.Model(toy_family.ToyConfig())
    assert {name for name, form in PROTOCOLS.items() if isinstance(model, form)} == set(toy_family.FAMILY.capabilities)
