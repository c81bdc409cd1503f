"""What every family in the catalogue keeps: presets, turns, finite steps, runs, samples. A new family adds no line."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from lightning_fabric import Fabric

from stereokit import catalog
from stereokit.errors import UsageError
from stereokit.models._capabilities import PROTOCOLS, block_ranges, drawn_labels, sample_blocks
from stereokit.models._family import FROM_DATA, LABELLED_FEEDS, MANDATORY_PRESETS, Family, Feed
from stereokit.models._run import configured, load_run
from stereokit.training.checkpoint import MODEL, start_run, write_tensors
from stereokit.training.draw import Draw
from stereokit.training.settings import TrainingSettings
from stereokit.training.trainer import Model, Step, Trainer
from stereokit.training.turn import Batch

NAMES = catalog.names("family")
PRESETS = [(name, preset) for name in NAMES for preset in catalog.load("family", name).presets]
# What trainer and commands read of every configuration.
FIELDS = {"sample_rate", "seconds", "batch", "steps", "ema_decay", "clip_norm", "validate_every"}
PROGRESS = (0.0, 0.5, 1.0)
LONG = 1_000
CLASSES = 3


def tiny(name: str) -> Any:
    return catalog.load("family", name).presets["tiny"]


def build(name: str) -> Model:
    torch.manual_seed(0)
    return catalog.load("family", name).load_model()(tiny(name))


def burst(item: int, frames: int) -> torch.Tensor:
    """Return a clip of the training data: a decaying burst; every fourth is mono, every seventh silent."""
    sound = 0.2 * Draw(("contract",), [item]).normal(2, frames)[0] * torch.exp(-torch.linspace(0.0, 6.0, frames))
    if item % 4 == 0:
        sound[1] = sound[0]
    return sound * (item % 7 != 0)


def trainer_of(name: str, clips: list[torch.Tensor], *, progress: float = 0.0) -> Trainer:
    """Return a trainer of the tiny preset on these clips, with at least three more steps to go."""
    family, config, model = catalog.load("family", name), tiny(name), build(name)

    def load(first: int, count: int) -> Batch:
        chosen = torch.stack([clips[item % len(clips)] for item in range(first, first + count)])
        labels = torch.arange(first, first + count) % CLASSES if family.feed_of(config) in LABELLED_FEEDS else None
        return Batch(chosen, labels, chosen.flip(1) if family.feed == "pairs" else None)

    labels = torch.arange(len(clips)) % CLASSES if family.feed_of(config) in LABELLED_FEEDS else None
    model.adapt(iter(torch.stack(clips).split(5)), Draw((0, "adapt"), [0]), labels)
    settings = TrainingSettings(LONG, config.batch, ema_decay=config.ema_decay, clip_norm=config.clip_norm or None)
    trainer = Trainer(model, load, settings, Fabric(accelerator="cpu", devices=1))
    trainer.step = min(int(progress * LONG), LONG - 3)
    return trainer


@dataclass(frozen=True)
class Trained:
    """A training of three steps, and the parameters before it."""

    trainer: Trainer
    steps: list[Step]
    before: dict[str, torch.Tensor]
    wanted: set[str]


@cache
def trained(name: str, progress: float) -> Trained:
    frames = build(name).frames
    trainer = trainer_of(name, [burst(item, frames) for item in range(24)], progress=progress)
    wanted = {turn.name for turn in trainer.turns if turn.is_active(trainer.step / LONG)}
    before = {key: tensor.clone() for key, tensor in trainer.model.named_parameters()}
    return Trained(trainer, list(islice(trainer.run(), 3)), before, wanted)


@pytest.mark.parametrize("name", NAMES)
def test_a_family_is_declared_in_full(name: str) -> None:
    family = catalog.load("family", name)
    assert isinstance(family, Family)
    assert family.name == name
    assert family.summary
    assert set(MANDATORY_PRESETS) <= set(family.presets)
    assert family.feed in get_args(Feed)
    assert family.capabilities
    assert set(family.capabilities) <= set(PROTOCOLS)


@pytest.mark.parametrize("name", NAMES)
def test_naming_a_family_loads_no_torch(name: str) -> None:
    program = f"import sys; from stereokit import catalog; catalog.load('family', {name!r}); print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {module.partition(".")[0] for module in result.stdout.split()}
    assert not loaded & {"torch", "torchaudio", "numpy", "scipy", "numba", "lightning_fabric", "safetensors"}


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_a_preset_is_a_frozen_configuration_that_comes_back_from_json(name: str, preset: str) -> None:
    family = catalog.load("family", name)
    config = family.presets[preset]
    assert is_dataclass(config)
    assert config.__dataclass_params__.frozen
    assert type(config) is type(tiny(name))
    wanted = FIELDS | (set(FROM_DATA) if family.feed in LABELLED_FEEDS else set())
    assert {field.name for field in fields(config)} >= wanted
    if family.feed in LABELLED_FEEDS:
        assert len(config.labels) == len(config.label_counts)
    assert configured(family, json.loads(json.dumps(asdict(config), allow_nan=False))) == config
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name in FROM_DATA:
            with pytest.raises(UsageError, match="write FIELD=VALUE"):
                family.preset(preset, [f"{field.name}=x"])
            continue
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        assert family.preset(preset, [f"{field.name}={text}"]) == config


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_a_preset_declares_its_weights_without_taking_memory_for_them(name: str, preset: str) -> None:
    family = catalog.load("family", name)
    config = family.presets[preset]
    with torch.device("meta"):
        model = family.load_model()(config)
    assert sum(parameter.numel() for parameter in model.parameters()) > 0
    assert {tensor.device.type for tensor in model.state_dict().values()} == {"meta"}
    assert (model.sample_rate, model.frames) == (config.sample_rate, round(config.seconds * config.sample_rate))


@pytest.mark.parametrize("name", [name for name in NAMES if catalog.load("family", name).feed in LABELLED_FEEDS])
def test_labels_without_counts_or_with_none_of_a_label_are_refused(name: str) -> None:
    for counts in ((), (1,), (0,) * len(tiny(name).labels), (-1,) * len(tiny(name).labels)):
        with pytest.raises(UsageError, match="label"):
            replace(tiny(name), label_counts=counts)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_declared_is_what_is_built(name: str) -> None:
    family = catalog.load("family", name)
    with torch.device("meta"):
        declared = family.load_model()(tiny(name)).state_dict()
    built = build(name).state_dict()
    assert {key: (tensor.shape, tensor.dtype) for key, tensor in declared.items()} == {
        key: (tensor.shape, tensor.dtype) for key, tensor in built.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_family_can_do_what_it_declares_and_no_more(name: str) -> None:
    family, model = catalog.load("family", name), build(name)
    able = {capability for capability, protocol in PROTOCOLS.items() if isinstance(model, protocol)}
    assert able == set(family.capabilities)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_plays_in_a_turn_and_every_moment_has_one(name: str) -> None:
    model = build(name)
    turns = model.turns()
    assert len({turn.name for turn in turns}) == len(turns)
    playing = {parameter for turn in turns for parameter in turn.parameters()}
    assert playing == set(model.parameters())
    for progress in PROGRESS:
        assert any(turn.is_active(progress) for turn in turns)
        assert all(turn.rate_factor(progress) >= 0.0 for turn in turns)
    assert set(model.compilable().values()) <= set(model.modules())


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("progress", PROGRESS)
class TestAtEachStageOfATraining:
    def test_three_steps_stay_finite_and_move_only_who_plays(self, name: str, progress: float) -> None:
        training = trained(name, progress)
        trainer = training.trainer
        assert len(training.steps) == 3
        for step in training.steps:
            assert {key.partition("/")[0] for key in step.losses} == training.wanted
            assert all(abs(value) < 1e9 for value in step.losses.values())
        assert all(tensor.isfinite().all() for tensor in trainer.model.state_dict().values())
        assert all(tensor.isfinite().all() for tensor in trainer.average.model.state_dict().values())
        turns = [turn for turn in trainer.turns if turn.name in training.wanted]
        playing = {parameter for turn in turns for parameter in turn.parameters()}
        named = trainer.model.named_parameters()
        moved = {parameter for key, parameter in named if not torch.equal(training.before[key], parameter)}
        assert moved
        assert moved <= playing

    def test_a_saved_model_makes_the_same_samples_once_it_is_loaded(
        self, name: str, progress: float, tmp_path: Path
    ) -> None:
        trainer = trained(name, progress).trainer
        trainer.refresh_statistics()
        average = trainer.average.model.eval()
        write_tensors(tmp_path / MODEL, average.state_dict())
        record = {"family": name, "preset": "tiny", "config": asdict(tiny(name)), "data": {}, "training": {}}
        start_run(tmp_path, record)
        run = load_run(tmp_path)
        assert run.config == tiny(name)
        loaded = run.model.state_dict()
        assert all(torch.equal(tensor, loaded[key]) for key, tensor in average.state_dict().items())
        if "sampler" in run.family.capabilities:
            (first,) = sample_blocks(average, 2, 0)
            (second,) = sample_blocks(run.model, 2, 0)
            assert torch.equal(first, second)
        for does in ("label", "embed"):
            if hasattr(average, does):
                wave = burst(1, average.frames)[None]
                with torch.no_grad():
                    assert torch.equal(getattr(average, does)(wave), getattr(run.model, does)(wave))


def able(capability: str) -> list[str]:
    return [name for name in NAMES if capability in catalog.load("family", name).capabilities]


@pytest.mark.slow
@pytest.mark.parametrize("name", able("sampler"))
def test_samples_are_stereo_finite_of_the_declared_length_faded_and_repeatable(name: str) -> None:
    model = build(name)
    model.adapt(iter([torch.stack([burst(item, model.frames) for item in range(8)])]), Draw((0, "adapt"), [0]))
    model.eval()
    count = model.block_clips + 1
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    clips = torch.cat(list(sample_blocks(model, count, 5)))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert clips.dtype == torch.float32
    assert clips.shape == (count, 2, model.frames)
    assert clips.isfinite().all()
    assert not clips[:, :, -1].any()
    assert len(torch.unique(clips.flatten(1), dim=0)) == count
    torch.manual_seed(2)
    (few,) = sample_blocks(model, 2, 5)
    assert torch.equal(few, clips[:2])
    (last,) = sample_blocks(model, 1, 5, first=model.block_clips)
    assert torch.equal(last, clips[-1:])
    (other,) = sample_blocks(model, 2, 6)
    assert not torch.equal(other, few)


def adapted(name: str) -> tuple[Model, Draw, torch.Tensor | None]:
    """Return a model that has seen data, the draw of its first block, and that block's labels."""
    model = build(name)
    model.adapt(iter([torch.stack([burst(item, model.frames) for item in range(8)])]), Draw((0, "adapt"), [0]))
    numbers = range(model.block_clips)
    return model.eval(), Draw((5, "sample"), numbers), drawn_labels(model.config, 5, numbers)


@pytest.mark.slow
@pytest.mark.parametrize("name", able("interpolator"))
def test_a_sample_is_what_its_latents_decode_to(name: str) -> None:
    model, draw, labels = adapted(name)
    with torch.no_grad():
        latents = model.latents(draw)
        decoded = model.decode(latents, draw, labels)
        (sampled,) = sample_blocks(model, model.block_clips, 5)
        draw = Draw((5, "sample"), range(model.block_clips))
        model.latents(draw)
        other = model.decode(-latents, draw, labels)
    assert latents.dtype == torch.float32
    assert latents.ndim == 2
    assert len(latents) == model.block_clips
    assert torch.equal(decoded, sampled)
    assert not torch.equal(other, sampled)


@pytest.mark.slow
@pytest.mark.parametrize("name", able("interpolator"))
def test_latents_are_standard_normal(name: str) -> None:
    model = build(name).eval()
    blocks = block_ranges(model.block_clips, 0, 256)
    latents = torch.cat([model.latents(Draw((5, "sample"), numbers)) for numbers in blocks]).double()
    # five standard errors of the mean and of the variance
    assert abs(float(latents.mean())) < 5.0 * latents.numel() ** -0.5
    assert abs(float(latents.var()) - 1.0) < 5.0 * (2.0 / latents.numel()) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("name", able("encoder"))
def test_an_encoder_finds_the_same_latents_again_and_draws_none(name: str) -> None:
    model, draw, labels = adapted(name)
    waves = torch.stack([burst(item, model.frames) for item in range(1, model.block_clips + 1)])
    with torch.no_grad():
        torch.manual_seed(1)
        found = model.encode(waves, labels)
        torch.manual_seed(2)
        assert torch.equal(model.encode(waves, labels), found)
        assert found.shape == model.latents(draw).shape
    assert found.isfinite().all()
    assert len(found.unique(dim=0)) > 1


@pytest.mark.slow
@pytest.mark.parametrize("name", able("critic"))
def test_a_critic_gives_each_clip_a_verdict_and_the_same_one_again(name: str) -> None:
    model, _, labels = adapted(name)
    waves = torch.stack([burst(item, model.frames) for item in range(1, model.block_clips + 1)])
    with torch.no_grad():
        verdicts = model.verdict(waves, labels)
        assert torch.equal(model.verdict(waves, labels), verdicts)
    assert verdicts.shape == (model.block_clips,)
    assert verdicts.isfinite().all()
    assert len(verdicts.unique()) > 1


@pytest.mark.slow
@pytest.mark.parametrize("name", able("converter"))
def test_a_converter_keeps_the_form_of_sounds_of_any_length_and_does_each_by_itself(name: str) -> None:
    model = build(name).eval()
    for frames in (1, 3, model.frames - 1, model.frames, model.frames + 1):
        waves = torch.stack([burst(item, frames) for item in (1, 2, 4)])
        with torch.no_grad():
            made = model.convert(waves)
            torch.manual_seed(3)
            assert torch.equal(model.convert(waves), made)
            alone = model.convert(waves[1:2])
        assert made.shape == waves.shape
        assert made.dtype == torch.float32
        assert made.isfinite().all()
        # no sound depends on its neighbours in the batch
        torch.testing.assert_close(alone, made[1:2], atol=1e-5, rtol=1e-3)


def fitted(name: str) -> Model:
    """Return a model that has seen labelled bursts of three kinds, in evaluation mode."""
    model = build(name)
    clips = torch.stack([burst(item, model.frames) for item in range(12)])
    model.adapt(iter([clips]), Draw((0, "adapt"), [0]), torch.arange(12) % CLASSES)
    return model.eval()


@pytest.mark.slow
@pytest.mark.parametrize("name", able("labeller"))
def test_a_labeller_gives_each_label_a_probability_and_the_same_one_again(name: str) -> None:
    model = fitted(name)
    waves = torch.stack([burst(item, model.frames) for item in range(1, 9)])
    with torch.no_grad():
        told = model.label(waves)
        assert torch.equal(model.label(waves), told)
        # silence, the shortest sound, and one longer than those it learned from
        others = [model.label(wave) for wave in (0.0 * waves, waves[..., :1], torch.cat([waves, waves], dim=2))]
        alone = model.label(waves[3:4])
    for probabilities in (told, *others):
        assert probabilities.dtype == torch.float32
        assert probabilities.shape == (8, len(tiny(name).labels))
        assert bool((probabilities >= 0.0).all())
        assert torch.allclose(probabilities.sum(1), torch.ones(8), atol=1e-5)
    assert torch.allclose(alone, told[3:4], atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", able("labeller"))
def test_a_labeller_is_calibrated_by_a_temperature_that_is_saved(name: str) -> None:
    model = fitted(name)
    waves = torch.stack([burst(item, model.frames) for item in range(1, 9)])
    with torch.no_grad():
        told = model.label(waves)
        before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
        model.calibrate(2.0)
        model.calibrate(4.0)
        wanted = (told.double().log() / 4.0).softmax(1)
        assert torch.allclose(model.label(waves).double(), wanted, atol=1e-5)
        assert any(not torch.equal(tensor, before[key]) for key, tensor in model.state_dict().items())
        model.calibrate(1.0)
        assert torch.equal(model.label(waves), told)


@pytest.mark.slow
@pytest.mark.parametrize("name", able("embedder"))
def test_an_embedder_gives_each_sound_a_vector_and_the_same_one_again(name: str) -> None:
    model = fitted(name)
    waves = torch.stack([burst(item, model.frames) for item in range(1, 5)])
    with torch.no_grad():
        places = model.embed(waves)
        assert torch.equal(model.embed(waves), places)
        shorter = model.embed(waves[..., : model.frames // 2])
    assert places.dtype == torch.float32
    assert places.shape == shorter.shape == (4, places.shape[1])
    assert places.isfinite().all()
    assert len(places.unique(dim=0)) > 1


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("item", [1, 7], ids=["one clip", "silence"])
def test_poor_data_are_no_reason_for_nan(name: str, item: int) -> None:
    trainer = trainer_of(name, [burst(item, build(name).frames)])
    for step in islice(trainer.run(), 2):
        assert all(abs(value) < 1e9 for value in step.losses.values())
    assert all(tensor.isfinite().all() for tensor in trainer.model.state_dict().values())
