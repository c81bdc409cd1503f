"""Networks of ``drum-classifier``: what they hear, what is fitted at once, and those with weights from outside."""

from dataclasses import replace
from itertools import islice

import pytest
import torch
from lightning_fabric import Fabric

from stereokit import catalog
from stereokit.errors import BadInputError, UsageError
from stereokit.models.drum_classifier.config import OUTSIDE, PRESETS
from stereokit.models.drum_classifier.model import Model
from stereokit.models.drum_classifier.outside import published
from stereokit.models.drum_classifier.variation import coloured, mixed, varied
from stereokit.nets.frozen import FrozenNorm, freeze_norms
from stereokit.nets.kernel_machine import KernelMachine
from stereokit.training.draw import Draw
from stereokit.training.settings import TrainingSettings
from stereokit.training.trainer import Trainer
from stereokit.training.turn import Batch

LABELS = {"labels": ("dull", "sharp"), "label_counts": (6, 6)}
FAMILY = catalog.load("family", "drum-classifier")


def sounds(count, frames, seed=0):
    """Return dull and sharp decaying sounds in turns, (count, 2, frames), and their labels."""
    noise = Draw((seed, "sounds"), range(count)).normal(2, frames) * torch.exp(-torch.linspace(0.0, 8.0, frames))
    dull = noise.cumsum(2) - noise.cumsum(2).mean(2, keepdim=True)
    labels = torch.arange(count) % 2
    clips = torch.where(labels[:, None, None] == 0, dull / dull.abs().amax((1, 2), keepdim=True), noise)
    return 0.3 * clips, labels


def test_a_kernel_machine_told_of_sounds_at_once_tells_new_ones():
    model = Model(replace(PRESETS["mfcc"], seconds=0.2, **LABELS)).eval()
    clips, labels = sounds(12, model.frames)
    model.adapt(iter(clips.split(5)), Draw((0, "adapt"), [0]), labels)
    others, truth = sounds(20, model.frames, seed=1)
    with torch.no_grad():
        assert torch.equal(model.label(others).argmax(1), truth)
        # neither the level nor the sides are what a sound is
        assert torch.allclose(model.label(0.01 * others.flip(1)), model.label(others), atol=1e-3)


def test_a_kernel_machine_solves_ridge_regression():
    places = Draw((0,), range(7)).normal(3)
    truth = torch.nn.functional.one_hot(torch.arange(7) % 2, 2).float()
    machine = KernelMachine(3, labels=2, anchors=7, wideness=0.5, ridge=0.05)
    machine.fit(places, truth, torch.arange(7))
    known = ((places - places.mean(0)) / places.std(0, correction=0)).double()
    near = torch.exp(-0.5 / 3.0 * torch.cdist(known, known).square())
    wanted = torch.linalg.solve(
        near + 0.05 * torch.eye(7, dtype=torch.float64), truth.double() - truth.double().mean(0)
    )
    with torch.no_grad():
        logits, _ = machine(places)
    assert torch.allclose(logits.double(), 6.0 * (truth.double().mean(0) + near @ wanted), atol=1e-3)


def test_labels_that_count_more_than_their_clips_are_balanced():
    config = replace(PRESETS["tiny"], labels=("few", "many"), label_counts=(1, 9))
    weights = Model(replace(config, balance=1.0)).label_weights
    assert torch.allclose(weights * torch.tensor([1.0, 9.0]), torch.tensor([5.0, 5.0]))
    assert torch.equal(Model(replace(config, balance=0.0)).label_weights, torch.ones(2))


def test_a_clip_without_a_sample_is_refused():
    model = Model(PRESETS["tiny"]).eval()
    for does in (model.label, model.embed):
        with pytest.raises(BadInputError, match="no samples"):
            does(torch.zeros(1, 2, 0))


def test_longer_clips_are_cut_and_shorter_ones_end_in_silence():
    model = Model(PRESETS["tiny"]).eval()
    clip = sounds(1, model.frames)[0]
    with torch.no_grad():
        told = model.label(clip)
        assert torch.equal(model.label(torch.cat([clip, clip], dim=2)), told)
        half = clip[..., : model.frames // 2]
        assert torch.equal(model.label(half), model.label(torch.nn.functional.pad(half, (0, half.shape[2]))))


def test_variation_is_each_items_own_and_grows_with_its_reach():
    clips, _ = sounds(6, 4_000)
    draw = Draw((3,), range(6))
    first = varied(clips, 44_100, Draw((3,), range(6)), reach=1.0)
    assert torch.equal(varied(clips, 44_100, draw, reach=1.0), first)
    assert torch.allclose(varied(clips[2:4], 44_100, Draw((3,), range(2, 4)), reach=1.0), first[2:4], atol=1e-6)
    assert first.shape == clips.shape
    assert not torch.allclose(first, clips, atol=1e-2)


def test_a_colour_raises_a_tone_by_its_level():
    times = torch.arange(44_100) / 44_100
    tones = torch.stack([torch.sin(2.0 * torch.pi * hz * times) for hz in (40.0, 22_049.0 / 2.0)])[:, None]
    louder = coloured(tones.expand(-1, 2, -1), 44_100, torch.tensor([[6.0, 6.0], [-12.0, 0.0]]))
    levels_db = 20.0 * torch.log10(louder.square().mean((1, 2)).sqrt() / tones.square().mean((1, 2)).sqrt())
    # an octave under half the rate lies 1/9.1 of the way down
    assert torch.allclose(levels_db, torch.tensor([6.0, -12.0 / 9.106]), atol=0.05)


def test_mixtures_have_the_labels_of_both_in_the_same_parts():
    clips = torch.ones(4, 2, 8) * torch.arange(4.0)[:, None, None]
    waves, truth = mixed(clips, torch.eye(4), Draw((1,), range(4)), share=1.0)
    assert torch.allclose(truth.sum(1), torch.ones(4))
    assert bool((truth.diagonal() >= 0.5).all())
    assert torch.allclose(waves[:, 0, 0], truth @ torch.arange(4.0), atol=1e-6)
    alone, own = mixed(clips, torch.eye(4), Draw((1,), range(4)), share=0.0)
    assert torch.equal(alone, clips)
    assert torch.equal(own, torch.eye(4))


def test_words_that_do_not_go_together_are_refused():
    with pytest.raises(UsageError, match="freeze=base goes with network="):
        FAMILY.preset("raw-spec", ["freeze=base"])
    with pytest.raises(UsageError, match="network=cnn14 is for 32000"):
        FAMILY.preset("cnn14", ["sample_rate=44100"])
    with pytest.raises(UsageError, match="network=raw-spec takes none"):
        Model(PRESETS["tiny"]).take({}, "a.safetensors")


def test_frozen_norms_are_buffers_of_the_same_names_and_do_what_the_norm_did():
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 1), torch.nn.BatchNorm2d(3), torch.nn.BatchNorm2d(3))
    for norm in (net[1], net[2]):
        norm.running_mean.uniform_(-1.0, 1.0)
        norm.weight.data.uniform_(0.5, 1.0)
    values = Draw((0,), range(4)).normal(1, 5, 5)
    wanted, names = net.eval()(values), list(net.state_dict())
    freeze_norms(net, but=("2",))
    assert [type(one) for one in net] == [torch.nn.Conv2d, FrozenNorm, torch.nn.BatchNorm2d]
    assert list(net.state_dict()) == names
    assert torch.allclose(net(values), wanted, atol=1e-6)
    frozen = torch.nn.Sequential(net[0], net[1]).train()
    assert torch.equal(frozen(values), frozen.eval()(values))


@pytest.fixture(scope="module")
def outside():
    """Weights of a ResNet-50 for four labels that are not those of the data."""
    torch.manual_seed(5)
    return published("resnet50", 4).state_dict()


def small(**changes):
    return replace(PRESETS["resnet50"], seconds=0.1, batch=2, **LABELS, **changes)


@pytest.mark.slow
def test_a_network_begins_with_the_weights_from_outside_but_for_its_head(outside):
    model = Model(small())
    head = model.net.network.fc.weight.clone()
    model.take(outside, "resnet50.safetensors")
    state = model.net.network.state_dict()
    assert all(torch.equal(state[name], one) for name, one in outside.items() if not name.startswith("fc."))
    assert torch.equal(model.net.network.fc.weight, head)
    with pytest.raises(UsageError, match=r"lacks bn1\.bias: it is of another network"):
        model.take({name: one for name, one in outside.items() if name != "bn1.bias"}, "a.safetensors")
    with pytest.raises(BadInputError, match=r"bn1\.bias has shape \(1,\), not \(64,\)"):
        model.take(outside | {"bn1.bias": torch.ones(1)}, "a.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("freeze", ["base", "none"])
def test_of_a_frozen_base_nothing_moves_but_the_head(outside, freeze):
    model = Model(small(freeze=freeze))
    model.take(outside, "resnet50.safetensors")
    before = {name: one.clone() for name, one in model.net.network.state_dict().items()}
    clips, labels = sounds(4, model.frames)

    def load(first, count):
        numbers = torch.arange(first, first + count) % 4
        return Batch(clips[numbers], labels[numbers])

    trainer = Trainer(model, load, TrainingSettings(1_000, 2), Fabric(accelerator="cpu", devices=1))
    list(islice(trainer.run(), 2))
    state = model.net.network.state_dict()
    moved = {name.partition(".")[0] for name, one in state.items() if not torch.equal(one, before[name])}
    assert moved == {"fc"} if freeze == "base" else {"conv1", "bn1", "layer4", "fc"} <= moved


@pytest.mark.slow
@pytest.mark.parametrize("network", OUTSIDE)
def test_every_network_tells_labels_of_any_length(network):
    config = replace(PRESETS[network], seconds=0.1, **LABELS)
    model = Model(config).eval()
    with torch.no_grad():
        for frames in (1, 3_200):
            told, places = model.label(torch.ones(1, 2, frames)), model.embed(torch.ones(1, 2, frames))
            assert told.shape == (1, 2)
            assert told.isfinite().all()
            assert places.shape == (1, 2_048)
