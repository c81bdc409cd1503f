"""Families that exchange genres: what they learn from, what passes, and what comes back."""

from dataclasses import replace
from importlib import import_module

import pytest
import torch

from stereokit import catalog
from stereokit.errors import UsageError
from stereokit.models._capabilities import Translator
from stereokit.training.draw import Draw
from stereokit.training.turn import Batch

FAMILIES = ["genre-segnet", "genre-unet"]


def tiny(name, **fields):
    return replace(catalog.load("family", name).presets["tiny"], **fields)


def model_of(name, **fields):
    torch.manual_seed(0)
    return catalog.load("family", name).load_model()(tiny(name, **fields))


def batch_of(model, count=6):
    draw = Draw((0, "test"), range(count))
    clips = 0.2 * draw.normal(2, model.frames)
    return Batch(clips, torch.arange(count) % len(model.config.labels)), draw


def losses_of(model, turn):
    (found,) = [one for one in model.turns() if one.name == turn]
    return found.losses(*batch_of(model))


def value(loss):
    return float(loss.detach())


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("samples", [1, 700, 2_000, 5_001])
def test_sounds_of_any_length_come_back_at_their_length(name, samples):
    model = model_of(name).eval()
    assert isinstance(model, Translator)
    wave = 0.2 * Draw((1, "test"), range(2)).normal(2, samples)
    with torch.no_grad():
        made = model.translate(wave, 0, 1)
        assert torch.equal(model.translate(wave, 0, 1), made)
        assert made.shape == wave.shape
        assert made.isfinite().all()
        if samples > 1:
            assert not torch.equal(model.translate(wave, 0, 2), made)


@pytest.mark.parametrize("name", FAMILIES)
def test_silence_stays_silent(name):
    model = model_of(name).eval()
    wave = torch.cat([torch.zeros(1, 2, 2_000), 0.2 * Draw((1, "test"), [0]).normal(2, 2_000)])
    with torch.no_grad():
        made = model.translate(wave, 0, 1)
    assert made[0].abs().max() < 1e-6
    assert made[1].abs().max() > 1e-4


@pytest.mark.parametrize("name", FAMILIES)
def test_as_published_all_learn_in_one_turn_and_errors_are_added_up(name):
    fields = {"game": "reversed", "look_weight": 0.0, "cycle_weight": 0.0}
    model = model_of(name, total="sum", **fields)
    (turn,) = model.turns()
    assert set(turn.losses(*batch_of(model))) == {"reconstruction", "critic", "penalty"}
    summed = value(losses_of(model, "exchange")["reconstruction"])
    mean = value(losses_of(model_of(name, **fields), "exchange")["reconstruction"])
    cells = model.representation.encode(torch.zeros(1, 2, model.frames)).numel()
    assert summed == pytest.approx(cells * mean, rel=1e-5)


def test_through_the_reversed_gradient_encoders_learn_the_opposite_of_what_the_critic_does():
    model = model_of("genre-segnet", game="reversed", look_weight=0.0, cycle_weight=0.0)
    loss = losses_of(model, "exchange")["critic"]
    encoder = next(model.coders[0].encoder.parameters())
    (turned,) = torch.autograd.grad(loss, encoder)
    own = model_of("genre-segnet", look_weight=0.0, cycle_weight=0.0)
    own.load_state_dict(model.state_dict())
    (straight,) = torch.autograd.grad(losses_of(own, "exchange")["apartness"], next(own.coders[0].encoder.parameters()))
    # the critic minimises minus what the encoders minimise
    assert torch.allclose(turned, straight, rtol=1e-4, atol=1e-9)


def test_in_turns_of_their_own_critics_want_the_opposite_of_encoders():
    model = model_of("genre-segnet")
    assert [turn.name for turn in model.turns()] == ["critics", "exchange"]
    critics, exchange = losses_of(model, "critics"), losses_of(model, "exchange")
    assert set(critics) == {"odds", "slope", "apartness", "penalty"}
    assert set(exchange) == {"reconstruction", "apartness", "look", "cycle"}
    assert value(exchange["apartness"]) == pytest.approx(
        -model.config.critic_weight * value(critics["apartness"]), rel=1e-4
    )


def test_without_any_say_there_are_no_critics():
    model = model_of("genre-unet", critic_weight=0.0, look_weight=0.0, cycle_weight=0.0)
    (turn,) = model.turns()
    assert set(turn.losses(*batch_of(model))) == {"reconstruction"}


def test_patches_of_a_recurrent_decoder_are_asked_to_agree():
    losses = losses_of(model_of("genre-segnet", decoder="recurrent", agreement_weight=1.0), "exchange")
    assert value(losses["agreement"]) > 0.0


def test_the_mean_manner_of_each_genre_is_remembered_and_applied():
    model = model_of("genre-segnet", manner=4)
    before = model.manners.clone()
    losses_of(model, "critics")
    assert torch.equal(model.manners, before)
    losses_of(model, "exchange")
    assert (model.manners != before).any(1).all()
    wave, _ = batch_of(model, 1)
    with torch.no_grad():
        one = model.eval().translate(wave.clips, 0, 1)
        model.manners[1] += 5.0
        assert not torch.equal(model.translate(wave.clips, 0, 1), one)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"labels": ("jazz",), "label_counts": (1,)}, "give 2 or more"),
        ({"widths": (8,)}, "give as many of each"),
        ({"bands": 200}, "bands is 200: a window of 256 samples has 128 bins"),
        ({"hop": 200}, "hop is 200"),
        ({"seconds": 0.02}, "spectra is 3: must be from 4"),
        ({"agreement_weight": 1.0}, "needs decoder=recurrent"),
        ({"batch": 2}, "batch is 2: must be from 3"),
    ],
)
def test_a_setting_that_cannot_be_names_itself(name, fields, said):
    with pytest.raises(UsageError, match=said):
        tiny(name, **fields)


def test_a_unet_cannot_hear_more_stages_than_it_has():
    with pytest.raises(UsageError, match="skipped is 3: there are 2 stages"):
        tiny("genre-unet", skipped=3)


def test_presets_of_the_report_say_what_it_says():
    for name in FAMILIES:
        presets = import_module(f"stereokit.models.{name.replace('-', '_')}.config").PRESETS
        published = presets["published"]
        assert (published.spectra, published.bands, published.sample_rate, published.hop) == (256, 256, 22_050, 512)
        assert presets["small"].spectra == 80
