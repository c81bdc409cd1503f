"""``sample-gan``: its networks as printed, and each defect of the printed recipe mended."""

import dataclasses

import pytest
import torch

from stereokit.errors import UsageError
from stereokit.models.sample_gan.config import FAMILY, PRESETS
from stereokit.models.sample_gan.model import Model
from stereokit.models.sample_gan.recipes import RECIPES
from stereokit.training.draw import Draw
from stereokit.training.turn import Batch

SHORT = {"seconds": 0.2, "batch": 4, "iterations": 2, "bank": 12}


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def draw(items=4, seed=0):
    return Draw((seed,), range(items))


def clips(number=4, *, mono=0, samples=8_820):
    generator = torch.Generator().manual_seed(1)
    falling = torch.exp(-torch.arange(samples) / 2_000.0)
    made = 0.2 * torch.randn(number, 2, samples, generator=generator).clamp(-3, 3) * falling
    made[:mono, 1] = made[:mono, 0]
    return made


def model_of(preset, **fields):
    torch.manual_seed(0)
    return Model(dataclasses.replace(PRESETS[preset], **{**SHORT, **fields}))


def losses(model, name, batch=None):
    turn = next(turn for turn in model.turns() if turn.name == name)
    return turn.losses(Batch(clips()) if batch is None else batch, draw())


@pytest.mark.parametrize("preset", ["published", "default"])
def test_the_networks_have_the_printed_number_of_parameters(preset):
    model = Model(PRESETS[preset])
    assert (count(model.generator), count(model.critic)) == (440_106, 177_858)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_makes_clips_of_its_length(preset):
    model = model_of(preset, seconds=0.2)
    model.adapt(iter([clips(6, mono=2)]), draw())
    model.eval()
    with torch.inference_mode():
        made = model.sample(draw(2))
    assert made.shape == (2, 2, 8_820)
    assert torch.isfinite(made).all()
    assert torch.all(made[..., -1] == 0.0)


def test_the_critic_s_verdict_goes_by_the_batch_only_where_its_norm_does_and_leaves_no_trace():
    for preset, depends in (("published", True), ("default", False)):
        model = model_of(preset).eval()
        sounds = clips(4)
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        with torch.no_grad():
            verdicts, other = model.verdict(sounds), model.verdict(torch.cat([sounds[:1], sounds[1:].flip(2)]))
        assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
        assert not any(module.training for module in model.modules())
        assert verdicts.shape == (4,)
        assert torch.isclose(verdicts[0], other[0], rtol=1e-4) != depends


def test_the_generator_grows_as_printed():
    generator = model_of("published").generator
    sides = []
    for layer in generator.layers:
        if isinstance(layer, torch.nn.ConvTranspose2d):
            layer.register_forward_hook(lambda _, __, out: sides.append(tuple(out.shape[1:3])))
    generator.make(draw())
    assert sides == [(128, 4), (64, 8), (32, 16), (16, 32), (8, 128), (2, 256)]


def test_the_published_spectral_terms_teach_the_critic_nothing_and_the_mended_ones_teach_the_generator():
    published = losses(model_of("published"), "critic")
    assert published["spectral"] > 0
    assert not published["spectral"].requires_grad
    model = model_of("default")
    for term in ("bands", "pictures", "features"):
        model.zero_grad()
        losses(model, "generator")[term].backward()
        assert model.generator.layers[0].weight.grad.abs().max() > 0


def test_the_published_features_are_three_times_the_picture_and_the_mended_ones_what_the_critic_saw():
    model = model_of("published")
    real = model.representation.encode(clips())
    model.eval()
    with torch.no_grad():
        paired = (real - model.generator.make(draw())).abs().mean()
    assert float(losses(model, "generator")["features"].detach()) == pytest.approx(0.35 * 3 * float(paired), rel=1e-4)
    _, (attended, last) = model_of("default").critic.judge(real)
    assert attended.shape[1:] == (16, 32, 32)
    assert last.shape[1:] == (128, 4, 4)


def test_the_mended_losses_compare_batches_and_not_pairs():
    model = model_of("default", varies_clips=False)
    model.eval()
    turned = Batch(clips().flip(0))
    for term in ("bands", "pictures", "features"):
        torch.testing.assert_close(
            losses(model, "generator")[term], losses(model, "generator", turned)[term], rtol=1e-3, atol=1e-4
        )
    published = model_of("published")
    published.eval()
    assert losses(published, "generator")["features"] != losses(published, "generator", turned)["features"]


def test_a_picture_has_a_slope_of_its_own_only_without_batch_norm():
    for preset, is_alone in (("published", False), ("default", True)):
        critic = model_of(preset).critic
        pictures = torch.rand(4, 2, 256, 256, requires_grad=True)
        (slope,) = torch.autograd.grad(critic(pictures)[0], pictures)
        others = slope[1:].abs().max()
        assert (others == 0.0) == is_alone


def test_group_norm_has_the_parameters_of_batch_norm():
    assert count(model_of("default", critic_norm="batch").critic) == count(model_of("default").critic)


def test_only_the_mended_recipe_is_chosen_by_score():
    assert not model_of("published").is_chosen_by_score
    assert model_of("default").is_chosen_by_score


def test_all_and_only_the_players_of_the_recipes_are_known():
    assert sorted(RECIPES) == ["mended", "published"]
    assert [turn.repeats for turn in model_of("published").turns()] == [5, 1]


def test_the_default_starts_at_the_mean_picture():
    model = model_of("default")
    given = clips(8)
    model.adapt(iter([given]), draw())
    model.eval()
    with torch.no_grad():
        started = model.generator.make(draw()).mean(0)
    wanted = model.representation.encode(given).mean(0)
    # the bank also holds varied clips
    assert (started - wanted).abs().mean() < 0.1


def fitted(preset="low-rank", *, mono, number=12, **fields):
    model = model_of(preset, **fields)
    model.adapt(iter(clips(number, mono=mono).split(5)), draw())
    model.eval()
    return model


@pytest.mark.parametrize("preset", ["low-rank", "image"])
def test_the_low_rank_generator_makes_exactly_mono_sounds_as_often_as_the_data_has_them(preset):
    model = fitted(preset, mono=4)
    with torch.inference_mode():
        _, wide = model.generator.coefficients(draw(600).normal(128))
        made = model.sample(draw(12))
    # eight of twelve have a side signal; three deviations of 600 draws
    assert float(wide.mean()) == pytest.approx(8 / 12, abs=0.06)
    assert torch.equal((made[:, 0] != made[:, 1]).any(1), draw(12).normal(128)[:, 0] > model.generator.threshold)
    assert (made[:, 0] == made[:, 1]).all(1).any()


@pytest.mark.parametrize(("mono", "expected"), [(12, 16), (0, 0)])
def test_data_without_one_of_the_two_gives_none_of_it(mono, expected):
    model = fitted(mono=mono)
    with torch.inference_mode():
        made = model.sample(draw(16))
    assert int((made[:, 0] == made[:, 1]).all(1).sum()) == expected
    assert torch.isfinite(model.generator.threshold)


def test_the_bank_gives_the_training_pictures_back():
    times = torch.arange(8_820) / 44_100
    given = torch.stack([torch.sin(6.28 * 60 * (2 + n) * times) * torch.exp(-(3.0 + n) * times) for n in range(12)])
    given = torch.stack([given, given * torch.linspace(0.2, 1.0, 12)[:, None]], dim=1)
    model = model_of("low-rank", varies_clips=False)
    model.adapt(iter([given]), draw())
    given = model.representation.encode(given)
    with torch.no_grad():
        planes = model.generator._planes(model.generator.bank[:12])
        back = model.generator._channels(planes)
    # twelve pictures are fewer than the components: only the patterns' number limits them
    assert (back - given).abs().mean() < 0.1 * (given - given.mean(0)).abs().mean()


def test_three_clips_are_enough_to_start():
    model = fitted(mono=1, number=3)
    with torch.inference_mode():
        assert torch.isfinite(model.sample(draw(2))).all()


def test_a_large_set_is_sampled_evenly():
    model = model_of("low-rank", varies_clips=False, bank=4)
    seen = []
    model.generator.fit = seen.append
    marked = [torch.full((5, 2, 8_820), 0.4 * 10.0 ** (-part / 10.0)) for part in range(10)]
    model.adapt(iter(marked), draw())
    assert len(seen[0]) == 4
    assert len({round(float(picture.max()), 4) for picture in seen[0]}) >= 3


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("seconds=0", "seconds is 0.0: must be from"),
        ("batch=1", "batch is 1: must be from 2"),
        ("window=512", "with linear frequency it must be 510"),
        ("sample_rate=768000", "window is 510: must be from"),
        ("channels=own-range", "channels=own-range and recipe=published go together"),
        ("dropout=nan", "dropout is nan"),
        ("latent=100000000", "latent is 100000000: must be from 1 to 65536"),
    ],
)
def test_settings_that_do_not_fit_are_refused_by_name(assignment, message):
    with pytest.raises(UsageError, match=message):
        FAMILY.preset("default", [assignment])


def test_fields_that_belong_together_are_set_together():
    config = FAMILY.preset("default", ["channels=own-range", "recipe=published"])
    assert (config.channels, config.recipe) == ("own-range", "published")
