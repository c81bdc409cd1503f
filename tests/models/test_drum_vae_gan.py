"""The family ``drum-vae-gan``: who learns from whom."""

import dataclasses

import pytest
import torch

from stereokit.errors import UsageError
from stereokit.models.drum_vae_gan.config import PRESETS
from stereokit.models.drum_vae_gan.model import Model
from stereokit.models.drum_vae_gan.recipes import _cut, _shown
from stereokit.training.draw import Draw
from stereokit.training.turn import Batch, only_requiring_gradients

FEATURES = {"reconstruction": "features", "judged_from": 0.0}


def model_of(**fields):
    torch.manual_seed(0)
    return Model(dataclasses.replace(PRESETS["tiny"], **fields))


def draw(items=4, seed=0):
    return Draw((seed,), range(items))


def batch(items=4, samples=4_410):
    generator = torch.Generator().manual_seed(1)
    return Batch(0.3 * torch.randn(items, 2, samples, generator=generator))


def names(model):
    return [turn.name for turn in model.turns()]


def losses_of(model, name, progress=1.0):
    model.advance(progress)
    (turn,) = (turn for turn in model.turns() if turn.name == name)
    with only_requiring_gradients(model, turn.parameters()):
        losses = turn.losses(batch(), draw())
        sum(losses.values()).backward()
    assert all(parameter.grad is not None for parameter in turn.parameters())
    return losses


def test_published_is_the_recipe_of_the_thesis():
    config = PRESETS["published"]
    assert (config.alternation, config.judged, config.reconstruction) == ("apart", "samples", "spectra")
    assert (config.optimiser, config.rate, config.discriminator_rate) == ("rmsprop", 4e-4, 4e-4)
    assert PRESETS["features"].reconstruction == "features"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"discriminators": ()}, "name one or more"),
        ({"discriminators": ("patch", "patch")}, "each once"),
        ({"judged_seconds": 0.2}, "judged_seconds is 0.2: must be from 0.0 to 0.1"),
        ({"judged_seconds": 1e-9}, "less than a sample"),
        ({"reconstruction": "features"}, "no other teacher"),
        ({**FEATURES, "matching_weight": 0.0}, "matching_weight above 0"),
        ({**FEATURES, "judged": "samples"}, "other than samples"),
        ({"kernel": 2}, "must be odd"),
    ],
)
def test_a_setting_that_cannot_be_names_itself(fields, said):
    with pytest.raises(UsageError, match=said):
        dataclasses.replace(PRESETS["tiny"], **fields)


def test_the_turns_are_those_of_the_recipe():
    assert names(model_of()) == ["critic", "autoencoder", "prior"]
    assert names(model_of(alternation="apart", prior="normal")) == ["autoencoder", "critic", "generator"]
    assert names(model_of(**FEATURES)) == ["critic", "encoder", "generator", "prior"]


def test_discriminators_have_no_say_before_they_begin():
    model = model_of(judged_from=0.5)
    before, after = (set(losses_of(model, "autoencoder", progress)) for progress in (0.4, 0.5))
    assert before == {"spectra", "divergence"}
    assert after == {*before, "adversarial", "matching"}
    (critic,) = (turn for turn in model.turns() if turn.name == "critic")
    assert not critic.is_active(0.4)
    assert critic.is_active(0.5)


@pytest.mark.parametrize("name", ["multi-scale", "multi-period", "patch", "phase-shuffle"])
@pytest.mark.parametrize("judged", ["samples", "reconstructions", "both"])
def test_every_view_teaches_the_decoder_whatever_it_is_shown(name, judged):
    model = model_of(discriminators=(name,), alternation="apart", judged=judged)
    assert set(losses_of(model, "generator")) == {"adversarial", "matching"}
    assert set(losses_of(model, "critic")) == {"real", "made"}


def test_with_features_alone_the_encoder_hears_no_verdict_and_nobody_hears_spectra():
    model = model_of(**FEATURES)
    assert set(losses_of(model, "encoder")) == {"features", "divergence"}
    assert set(losses_of(model, "generator")) == {"adversarial", "matching"}


@pytest.mark.parametrize(("judged", "paired"), [("samples", 0), ("reconstructions", 5), ("both", 3)])
def test_reconstructions_come_first_and_stand_for_the_real_ones(judged, paired):
    model = model_of(judged=judged, judged_seconds=0.0)
    shown = _shown(model, batch(5), draw(5))
    assert shown.paired == paired
    assert shown.made.shape == shown.real.shape == (5, 2, 4_410)
    torch.testing.assert_close(shown.real, model.seen(batch(5).clips))


def test_made_and_real_items_of_one_number_are_cut_at_one_place():
    settings = dataclasses.replace(PRESETS["tiny"], judged_seconds=0.01)
    made = torch.arange(4_410.0).expand(64, 2, -1)
    shown = _cut(made, -made, 64, settings, draw(64))
    assert shown.made.shape == (64, 2, 441)
    assert torch.equal(shown.made, -shown.real)
    starts = shown.made[:, 0, 0]
    assert torch.equal(shown.made[:, 1] - starts[:, None], torch.arange(441.0).expand(64, -1))
    assert starts.max() <= 4_410 - 441
    assert len(starts.unique()) > 32


def test_a_perfect_critic_costs_nothing_and_a_deceived_one_two():
    model = model_of(discriminators=("patch",))
    last = model.critic.views[0].network.last
    torch.nn.init.zeros_(last.parametrizations.weight.original0)
    with torch.no_grad():
        last.bias.fill_(1.0)
        model.advance(1.0)
        (critic,) = (turn for turn in model.turns() if turn.name == "critic")
        losses = critic.losses(batch(), draw())
    assert losses["real"].item() == pytest.approx(0.0)
    assert losses["made"].item() == pytest.approx(1.0)


@pytest.mark.slow
def test_a_critic_learns_to_tell_noise_from_what_the_decoder_makes():
    model = model_of(discriminators=("patch",), discriminator_rate=2e-3, judged="samples")
    clips = batch().clips
    model.adapt(iter([0.01 * clips]), Draw((0,), [0]))
    (critic,) = (turn for turn in model.turns() if turn.name == "critic")
    optimiser = critic.optimiser(critic.parameters())
    for step in range(40):
        optimiser.zero_grad()
        sum(critic.losses(batch(), draw(seed=step)).values()).backward()
        optimiser.step()
    model.eval()
    with torch.no_grad():
        assert model.verdict(clips).min() > model.verdict(model.sample(draw())).max() + 0.3
