"""The families of waveform autoencoders: what they share, and ``drum-vae``."""

import dataclasses

import pytest
import torch
from lightning_fabric import Fabric

from stereokit import catalog
from stereokit.errors import UsageError
from stereokit.models._waveform_recipe import likeness, reconstructed, surplus
from stereokit.models.drum_vae.config import FAMILY, PRESETS
from stereokit.models.drum_vae.model import Model
from stereokit.training.checkpoint import start_run
from stereokit.training.draw import Draw
from stereokit.training.resume import Choice, restore_training, save_training
from stereokit.training.settings import TrainingSettings
from stereokit.training.trainer import Trainer
from stereokit.training.turn import Batch

LABELS = {"is_conditional": True, "labels": ("hat", "kick"), "label_counts": (1, 3)}
PUBLISHED = {
    name: getattr(PRESETS["published"], name)
    for name in ("channels", "is_normed", "front", "ending", "prior", "form", "epsilon", "repulsion", "warm_up")
}


def model_of(family="drum-vae", **fields):
    torch.manual_seed(0)
    entry = catalog.load("family", family)
    return entry.load_model()(dataclasses.replace(entry.presets["tiny"], **fields))


def draw(items=4, seed=0):
    return Draw((seed,), range(items))


def batch(items=4, samples=4_410, labels=None):
    generator = torch.Generator().manual_seed(1)
    falling = torch.exp(-torch.arange(samples) / 1_000.0)
    return Batch(0.3 * torch.randn(items, 2, samples, generator=generator) * falling, labels)


def losses_of(model, name, given=None):
    model.adapt(iter([batch().clips]), Draw((0,), [0]))
    (turn,) = (turn for turn in model.turns() if turn.name == name)
    return turn.losses(batch() if given is None else given, draw())


def test_default_hears_three_transforms_as_parallel_wavegan_does():
    for preset in ("default", "published"):
        config = PRESETS[preset]
        assert (config.sizes, config.hops, config.windows) == ((1024, 2048, 512), (120, 240, 50), (600, 1200, 240))


def test_published_is_the_recipe_of_the_thesis():
    config = PRESETS["published"]
    assert (config.form, config.epsilon) == ("power", 1.0)
    assert (config.optimiser, config.rate, config.schedule) == ("rmsprop", 4e-4, "constant")
    assert (config.warm_up, config.free_nats, config.repulsion, config.convergence_weight) == (0.0, 0.0, 0.0, 0.0)
    assert (config.ending, config.front, config.prior) == ("transposed", "learned", "normal")
    assert PRESETS["element-wise"].spectral_weight == 0.0
    assert PRESETS["element-wise"].wave_weight > 0.0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"window": 100}, "even multiple of hop"),
        ({"hop": 256}, "even multiple of hop"),
        ({"kernel": 4}, "must be odd"),
        ({"widths": (8, 8)}, "give 3, one more than strides"),
        ({"strides": (0, 4)}, "strides are"),
        ({"windows": (150, 300)}, "as many of each"),
        ({"windows": (150, 600, 60)}, "must fit the size"),
        ({"sizes": (), "hops": (), "windows": ()}, "one or more"),
        ({"spectral_weight": 0.0}, "nothing would be learned"),
        ({"latent": 1}, "latent is 1: must be from 2"),
        ({"labels": ("kick",)}, "give each label a count"),
        ({"batch": 1}, "batch is 1"),
    ],
)
def test_a_setting_that_cannot_be_names_itself(fields, said):
    with pytest.raises(UsageError, match=said):
        dataclasses.replace(PRESETS["tiny"], **fields)


def test_only_a_conditional_configuration_needs_labels():
    assert FAMILY.feed_of(PRESETS["tiny"]) == "clips"
    assert FAMILY.feed_of(dataclasses.replace(PRESETS["tiny"], is_conditional=True)) == "labelled"


@pytest.mark.parametrize("seconds", [0.001, 0.013, 0.1])
@pytest.mark.parametrize("ending", ["transposed", "spectral"])
def test_clips_may_have_any_length(seconds, ending):
    model = model_of(seconds=seconds, ending=ending)
    clips = batch(samples=model.frames).clips
    model.adapt(iter([clips]), Draw((0,), [0]))
    assert model.sample(draw()).shape == (4, 2, model.frames)
    assert model.encode(clips).shape == (4, 8)


def test_the_divergence_warms_up_and_is_free_below_the_free_nats():
    model = model_of(warm_up=0.5, free_nats=0.0, divergence_weight=1.0)
    found = reconstructed(model, batch(), draw())
    costs = []
    for progress in (0.0, 0.25, 0.5, 1.0):
        model.advance(progress)
        costs.append(surplus(model, found).item())
    assert costs[0] == 0.0
    assert costs[1] == pytest.approx(costs[2] / 2.0)
    assert costs[2] == costs[3] > 0.0
    free = model_of(warm_up=0.0, free_nats=50.0, divergence_weight=0.5)
    assert surplus(free, reconstructed(free, batch(), draw())).item() == pytest.approx(0.5 * 50.0 * 8)


def test_without_warm_up_the_divergence_counts_from_the_first_step():
    model = model_of(**PUBLISHED)
    assert model.warmth == 1.0
    model.advance(0.0)
    assert model.warmth == 1.0


def test_perfect_reconstructions_cost_nothing_but_their_distance_from_other_noise():
    model = model_of(has_noise=False, convergence_weight=1.0, wave_weight=1.0)
    found = dataclasses.replace(reconstructed(model, batch(), draw()), clips=batch().clips)
    losses = likeness(model, batch(), found, draw())
    assert set(losses) == {"spectra", "convergence", "wave"}
    assert losses["spectra"] == 0.0
    assert losses["wave"] == 0.0
    assert losses["convergence"].item() == pytest.approx(0.0, abs=1e-3)


def test_weights_of_zero_leave_a_loss_out():
    losses = losses_of(model_of(spectral_weight=0.0, wave_weight=2.0), "autoencoder")
    assert set(losses) == {"wave", "divergence"}


def test_the_prior_learns_alone_and_only_where_there_is_one():
    assert [turn.name for turn in model_of(prior="normal").turns()] == ["autoencoder"]
    model = model_of()
    losses = losses_of(model, "prior")
    sum(losses.values()).backward()
    assert all(parameter.grad is None for parameter in (*model.encoder.parameters(), *model.decoder.parameters()))
    assert any(parameter.grad is not None for parameter in model.prior.parameters())


@pytest.mark.parametrize("prior", ["normal", "linear", "bent"])
def test_latents_found_lead_to_the_posteriors_mean(prior):
    model = model_of(prior=prior).eval()
    for parameter in () if model.prior is None else model.prior.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    clips = batch().clips
    with torch.no_grad():
        back = model.inner(model.encode(clips), model.known(None, clips))
        torch.testing.assert_close(back, model.posterior(clips)[0], atol=1e-5, rtol=1e-4)


def test_a_label_that_is_asked_for_is_heard():
    model = model_of(**LABELS).eval()
    first, second = (model.sample(draw(), torch.full((4,), one)) for one in (0, 1))
    assert not torch.equal(first, second)
    with torch.no_grad():
        clips = batch().clips
        torch.nn.init.normal_(model.prior.whitening.by_label)
        assert not torch.equal(model.encode(clips, torch.zeros(4, dtype=torch.int64)), model.encode(clips))


def test_labels_are_drawn_as_often_as_training_clips_have_them():
    labels = model_of(**LABELS).drawn_labels(Draw((0,), range(1_000)))
    assert set(labels.tolist()) == {0, 1}
    # five standard errors
    assert labels.float().mean().item() == pytest.approx(0.75, abs=0.07)
    assert model_of().drawn_labels(draw()) is None


def test_mono_training_clips_start_a_decoder_with_a_quiet_side():
    model = model_of()
    mono = batch().clips[:, :1].expand(-1, 2, -1)
    model.adapt(iter([mono]), Draw((0,), [0]))
    with torch.no_grad():
        left, right = model.sample(draw()).unbind(1)
    assert (left - right).square().mean() < 1e-4 * (left + right).square().mean()


def trainer_of(family="drum-vae", *, is_double=False, **fields):
    model = model_of(family, **{"warm_up": 0.9, "prior_from": 0.4, **fields})
    clips = batch(12).clips

    def load(first, count):
        items = torch.arange(first, first + count)
        return Batch(clips[items % 12], items % 2 if fields.get("is_conditional") else None)

    model.adapt(iter([clips]), Draw((0,), [0]))
    settings = TrainingSettings(4, 4, ema_decay=0.9, clip_norm=None, is_double=is_double)
    return Trainer(model, load, settings, Fabric(accelerator="cpu", devices=1))


@pytest.mark.slow
@pytest.mark.parametrize("family", ["drum-vae", "drum-vae-gan"])
def test_a_training_that_stops_while_it_warms_up_goes_on_bit_for_bit(family, tmp_path):
    whole, first, second = trainer_of(family), trainer_of(family), trainer_of(family)
    list(whole.run())
    next(step for step in first.run() if step.number == 3)
    assert 0.0 < first.model.warmth < 1.0
    start_run(tmp_path, {})
    save_training(first, tmp_path, Choice())
    restore_training(second, tmp_path)
    assert second.model.warmth == first.model.warmth
    list(second.run())
    for ours, theirs in ((second.model, whole.model), (second.average.model, whole.average.model)):
        wanted = theirs.state_dict()
        assert all(torch.equal(tensor, wanted[name]) for name, tensor in ours.state_dict().items())


@pytest.mark.slow
@pytest.mark.parametrize("family", ["drum-vae", "drum-vae-gan"])
def test_a_training_in_double_precision_ends_near_one_in_single(family):
    single, double = trainer_of(family), trainer_of(family, is_double=True)
    for trainer in (single, double):
        list(trainer.run())
    pairs = zip(single.model.parameters(), double.model.parameters(), strict=True)
    assert all(torch.allclose(ours.double(), theirs, atol=1e-3) for ours, theirs in pairs)


@pytest.mark.slow
@pytest.mark.parametrize("fields", [PUBLISHED, LABELS, {"prior": "linear", "channels": "left-right"}])
def test_other_forms_train_and_sample_too(fields):
    trainer = trainer_of(**fields)
    assert len(list(trainer.run())) == 4
    model = trainer.average.model.eval()
    assert model.sample(draw()).isfinite().all()
    assert all(tensor.isfinite().all() for tensor in model.state_dict().values())


@pytest.mark.slow
def test_it_learns_to_give_back_how_loud_and_how_bright_a_sound_is():
    torch.manual_seed(0)
    samples = 2_205
    time = torch.arange(samples) / 44_100.0
    pitches, levels = torch.tensor([400.0, 4_000.0]), torch.tensor([0.02, 0.4])
    clips = torch.stack(
        [level * torch.sin(6.2832 * pitch * time) * torch.exp(-30.0 * time) for pitch in pitches for level in levels]
    )[:, None].expand(-1, 2, -1)
    model = model_of(
        seconds=0.05, latent=4, widths=(16, 16, 16), rate=3e-3, divergence_weight=1e-4, warm_up=0.0, free_nats=0.0
    )
    model.adapt(iter([clips]), Draw((0,), [0]))
    turn, _ = model.turns()
    optimiser = turn.optimiser(turn.parameters())
    figures = []
    for step in range(100):
        optimiser.zero_grad()
        total = sum(turn.losses(Batch(clips), Draw((step,), range(4))).values())
        total.backward()
        optimiser.step()
        figures.append(total.item())
    assert sum(figures[-10:]) < 0.7 * sum(figures[:10])
    model.eval()
    with torch.no_grad():
        made = model.decode(model.encode(clips), draw())
    loudness = made.square().mean((1, 2)).log10()
    assert loudness[1] > loudness[0] + 1.0
    assert loudness[3] > loudness[2] + 1.0
    crossings = (made[:, 0].sign().diff() != 0).float().mean(1)
    assert crossings[3] > 2.0 * crossings[1]


def test_the_model_is_built_of_its_own_configuration():
    assert isinstance(model_of(), Model)
