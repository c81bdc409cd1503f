"""``gansynth``: its networks as printed, layer by layer, growing that grows, and each defect of the recipe."""

import dataclasses
import math

import pytest
import torch
from lightning_fabric import Fabric

from stereokit.errors import UsageError
from stereokit.models._capabilities import sample_blocks
from stereokit.models.gansynth.config import FAMILY, PRESETS
from stereokit.models.gansynth.growing import Ladder, rung
from stereokit.models.gansynth.layers import EqualisedConvolution, group_deviation
from stereokit.models.gansynth.model import Model
from stereokit.models.gansynth.recipes import StaleAdam, asked_labels
from stereokit.models.gansynth.start import Start
from stereokit.training.checkpoint import start_run
from stereokit.training.draw import Draw
from stereokit.training.resume import Choice, restore_training, save_training
from stereokit.training.settings import TrainingSettings
from stereokit.training.trainer import Trainer
from stereokit.training.turn import Batch

PRINTED = Ladder(7, 32)
# Bins, frames and filters of table 2.
GROWTH = [(16, 2, 256), (32, 4, 256), (64, 8, 256), (128, 16, 256), (256, 32, 128), (512, 32, 64), (1024, 32, 32)]


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def draw(items=4, seed=0):
    return Draw((seed,), range(items))


def model_of(preset="tiny", **fields):
    torch.manual_seed(0)
    return Model(dataclasses.replace(PRESETS[preset], **fields))


def declared(preset):
    with torch.device("meta"):
        return Model(PRESETS[preset])


def batch(items=4, samples=4_410, labels=None):
    generator = torch.Generator().manual_seed(1)
    falling = torch.exp(-torch.arange(samples) / 1_000.0)
    clips = 0.2 * torch.randn(items, 2, samples, generator=generator).clamp(-3, 3) * falling
    return Batch(clips, torch.arange(items) % 8 if labels is None else torch.tensor(labels))


def turn_of(model, name):
    return next(turn for turn in model.turns() if turn.name == name)


def losses(model, name, given=None, **drawn):
    return turn_of(model, name).losses(batch() if given is None else given, draw(**drawn))


def at(model, growth):
    model.growth.fill_(growth)
    return model


@pytest.mark.parametrize(
    ("preset", "generator", "critic"),
    [("published", 6_872_192, 4_794_761), ("default", 6_877_056, 4_798_729), ("linear", 6_877_056, 4_798_729)],
)
def test_the_networks_have_the_printed_number_of_parameters(preset, generator, critic):
    model = declared(preset)
    assert (count(model.generator), count(model.critic)) == (generator, critic)


def shapes_of(run, network):
    """Return (F, T, C) of what each convolution gives, in order; the meta device computes nothing."""
    shapes = []
    for layer in network.modules():
        if isinstance(layer, EqualisedConvolution):
            layer.register_forward_hook(lambda _, __, out: shapes.append((*out.shape[2:], out.shape[1])))
    run()
    return shapes


def test_the_generator_has_the_printed_shapes_layer_by_layer():
    generator = declared("published").generator
    seeds = []
    generator.blocks[0].spread.register_forward_hook(lambda _, given, out: seeds.append((given[0].shape, out.shape)))
    latents, labels = torch.empty(2, 256, device="meta"), torch.empty(2, 8, device="meta")
    shapes = shapes_of(lambda: generator.changed(torch.cat([latents, labels], 1), None, 6.0), generator)
    # the latent with its label, and 16 x 2 places of 256 filters
    assert seeds == [((2, 264), (2, 16 * 2 * 256))]
    twice = [shape for shape in GROWTH for _ in range(2)]
    assert shapes == [*twice[1:], (1024, 32, 4)]


def test_the_critic_has_the_printed_shapes_layer_by_layer():
    critic = declared("published").critic
    wide = []
    critic.blocks[0].first.register_forward_hook(lambda _, given, __: wide.append(given[0].shape[1]))
    pictures = torch.empty(8, 4, 1024, 32, device="meta")
    shapes = shapes_of(lambda: critic(pictures, 6.0), critic)
    # a block ends as wide as the next lower one begins
    heights = [shape for shape in reversed(GROWTH) for _ in range(2)]
    assert shapes == [(1024, 32, 32), *heights]
    # the deviation of the minibatch is one more
    assert wide == [257]
    assert (critic.verdict.weight.shape, critic.label.weight.shape) == ((1, 8_192), (8, 8_192))


def test_a_lower_resolution_has_layers_of_its_own_only_where_networks_grow():
    assert sorted(declared("default").generator.pictures) == ["0", "1", "2", "3", "4", "5", "6"]
    assert list(declared("published").critic.pictures) == ["6"]


def test_growth_stays_and_fades_by_turns_and_ends_where_it_should():
    growths = [PRINTED.growth(part / 240, until=0.5) for part in range(241)]
    assert growths == sorted(growths)
    assert growths[:11] == [0.0] * 11
    assert growths[15] == pytest.approx(0.5)
    assert growths[20:31] == [1.0] * 11
    assert growths[119] < 6.0
    assert growths[120:] == [6.0] * 121
    assert PRINTED.growth(0.0, until=0.0) == 6.0


@pytest.mark.parametrize(("growth", "wanted"), [(0.0, (0, 1.0)), (2.0, (2, 1.0)), (1.25, (2, 0.25))])
def test_a_growth_is_a_resolution_and_how_far_it_is_faded_in(growth, wanted):
    assert rung(growth) == wanted


def test_a_picture_is_seen_as_sharp_as_the_networks_are():
    ladder = Ladder(3, 8)
    pictures = torch.rand(2, 4, 64, 8)
    assert torch.equal(ladder.seen_at(pictures, 2.0), pictures)
    low = ladder.seen_at(pictures, 1.0)
    torch.testing.assert_close(low, pictures.view(2, 4, 32, 2, 4, 2).mean((3, 5)))
    half = ladder.seen_at(pictures, 1.5)
    torch.testing.assert_close(half, (pictures + low.repeat_interleave(2, 2).repeat_interleave(2, 3)) / 2)
    assert ladder.raised(low).shape == pictures.shape


def test_a_model_grows_with_the_training_and_is_sampled_as_far_as_it_has_grown():
    model = model_of()
    sizes = []
    model.generator.register_forward_hook(lambda _, __, out: sizes.append(tuple(out.shape[2:])))
    for progress in (0.0, 0.35, 1.0):
        model.advance(progress)
        with torch.inference_mode():
            assert model.sample(draw(2)).shape == (2, 2, 4_410)
    assert sizes == [(16, 2), (64, 8), (128, 16)]
    assert "growth" in model.state_dict()
    fixed = model_of(growing=False)
    fixed.advance(0.0)
    assert fixed.grown == 3.0


@pytest.mark.parametrize("growth", [0.0, 1.5, 3.0])
def test_what_plays_at_a_resolution_learns_and_nothing_above_it(growth):
    model = at(model_of(), growth)
    for name, network in (("critic", model.critic), ("generator", model.generator)):
        model.zero_grad()
        sum(losses(model, name).values()).backward()
        learned = {
            int(key.split(".")[1])
            for key, one in network.named_parameters()
            if one.grad is not None and key.startswith("blocks") and bool(one.grad.any())
        }
        assert learned == set(range(math.ceil(growth) + 1))


def test_a_fade_begins_as_the_resolution_below_and_ends_as_the_one_above():
    model = at(model_of(), 1.0)
    latents, labels = draw().normal(8), torch.arange(4)
    with torch.inference_mode():
        low, begun = model.generator(latents, labels, 1.0), model.generator(latents, labels, 1.0 + 1e-6)
        high, ended = model.generator(latents, labels, 2.0), model.generator(latents, labels, 2.0 - 1e-6)
        pictures = torch.rand(4, 4, 64, 8)
        blurred = torch.nn.functional.avg_pool2d(pictures, 2)
        verdicts = [model.critic(one, growth) for one, growth in ((blurred, 1.0), (pictures, 1.0 + 1e-6))]
    torch.testing.assert_close(begun, low.repeat_interleave(2, 2).repeat_interleave(2, 3), rtol=0, atol=1e-4)
    torch.testing.assert_close(ended, high, rtol=0, atol=1e-4)
    torch.testing.assert_close(*verdicts, rtol=1e-3, atol=1e-3)


def test_every_weight_is_used_at_the_scale_of_its_layer():
    torch.manual_seed(0)
    for inward in (4, 64):
        layer = EqualisedConvolution(inward, 64, 3)
        with torch.no_grad():
            out = layer(torch.randn(4, inward, 16, 16))
        assert float(layer.weight.detach().std()) == pytest.approx(1.0, abs=0.05)
        # the gain of a rectifier with leak 0.2, less at the edges
        assert float(out.std()) == pytest.approx(math.sqrt(2.0 / 1.04), rel=0.1)


def test_the_deviation_is_that_of_the_population_and_of_each_group():
    pictures = torch.zeros(8, 2, 3, 3)
    pictures[1], pictures[4:6] = 2.0, 6.0
    told = group_deviation(pictures, 4)[:, 0, 0, 0]
    torch.testing.assert_close(told, torch.tensor([math.sqrt(0.75)] * 4 + [3.0] * 4))
    # five cannot be divided by four: all are one group
    assert float(group_deviation(pictures[:5], 4)[0]) == pytest.approx(float(pictures[:5].std(0, correction=0).mean()))


def test_two_halves_of_a_batch_teach_what_the_whole_teaches():
    model = at(model_of().double(), 2.5)
    whole = batch(8)
    whole = Batch(whole.clips.double(), whole.labels)
    gradients = []
    for parts in ([range(8)], [range(4), range(4, 8)]):
        model.zero_grad()
        for part in parts:
            given = Batch(whole.clips[list(part)], whole.labels[list(part)])
            told = turn_of(model, "critic").losses(given, Draw((0,), part, dtype=torch.float64))
            (sum(told.values()) / len(parts)).backward()
        gradients.append(torch.cat([one.grad.flatten() for one in model.critic.parameters() if one.grad is not None]))
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-9)


def test_labels_are_drawn_as_often_as_in_the_data_or_evenly_or_always_the_first():
    counts = {}
    for way in ("data", "even", "first"):
        config = dataclasses.replace(PRESETS["tiny"], labels=("A", "B"), label_counts=(9, 1), condition_draw=way)
        counts[way] = int(asked_labels(config, draw(2_000)).sum())
    assert counts["data"] == pytest.approx(200, abs=45)
    assert counts["even"] == pytest.approx(1_000, abs=70)
    assert counts["first"] == 0


def test_a_label_makes_another_sound_of_the_same_latent():
    model = model_of()
    with torch.inference_mode():
        first, second, again = (model.sample(draw(3), torch.full((3,), label)) for label in (0, 1, 0))
    assert torch.equal(first, again)
    assert (first != second).any(2).any(1).all()


def test_a_sample_is_what_its_latents_decode_to():
    model = model_of()
    with torch.inference_mode():
        given = draw(3)
        latents = model.latents(given)
        assert torch.equal(model.sample(draw(3)), model.decode(latents, given))


def test_a_verdict_hangs_on_the_sound_alone():
    model = at(model_of(), 3.0)
    losses(model, "critic")
    clips = batch(4).clips
    others = torch.cat([clips[:1], 0.1 * clips[1:].flip(0)])
    with torch.inference_mode():
        first, second = (model.verdict(wave, torch.arange(4)) for wave in (clips, others))
        torch.testing.assert_close(first[0], second[0])
        assert model.verdict(clips).shape == (4,)
        # another label is another question
        assert model.verdict(clips, torch.full((4,), 5))[0] != first[0]


def test_the_critic_tells_labels_of_real_pictures_and_the_generator_is_told_of_its_own():
    model = at(model_of(objective="relativistic"), 1.0)
    told = losses(model, "critic")["label"]
    told.backward()
    assert model.critic.label.weight.grad.any()
    assert all(one.grad is None for one in model.generator.parameters())
    losses(model, "generator")["label"].backward()
    assert model.generator.blocks[0].spread.weight.grad.any()


def test_the_published_generator_takes_every_gradient_three_times():
    assert model_of("tiny", stale=True).turns()[0].repeats == 3
    weights = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    stale = turn_of(model_of("tiny", stale=True), "generator").optimiser([weights[0]])
    assert isinstance(stale, StaleAdam)
    plain = torch.optim.Adam([weights[1]], 2e-4, betas=(0.0, 0.99))
    for weight in weights:
        weight.grad = torch.tensor([1.0, -2.0])
    stale.step()
    for _ in range(3):
        plain.step()
    torch.testing.assert_close(*weights)


def test_published_is_what_was_printed_and_default_mends_it():
    published, default = PRESETS["published"], PRESETS["default"]
    assert (published.growing, published.form, published.integral, published.hop) == (
        False,
        "printed",
        "frequency",
        512,
    )
    assert (published.stale, published.condition_draw, published.group) == (True, "first", published.batch)
    assert (default.growing, default.form, default.stale, default.condition_draw) == (True, "mended", False, "data")
    same = (
        "widths",
        "latent",
        "generator_rate",
        "critic_rate",
        "batch",
        "critic_steps",
        "penalty_weight",
        "label_weight",
    )
    assert all(getattr(published, name) == getattr(default, name) for name in same)
    assert (default.generator_rate, default.critic_rate, default.batch, default.penalty_weight) == (2e-4, 4e-4, 8, 10.0)


def test_only_the_mended_recipes_are_chosen_by_score():
    assert not model_of(stale=True).is_chosen_by_score
    assert model_of().is_chosen_by_score


def test_the_generator_starts_near_the_mean_picture_of_the_label_asked_for():
    model = at(model_of(), 3.0)
    given = batch(8, labels=[0, 1] * 4)
    clips = given.clips * torch.tensor([1.0, 0.01] * 4)[:, None, None]
    model.adapt(iter(clips.split(3)), draw(), given.labels)
    pictures = model.representation.encode(clips)
    for label in (0, 1):
        # four of the label, and as if four of all had been seen
        mean = (pictures[label::2].mean(0) + pictures.mean(0)) / 2
        torch.testing.assert_close(model.generator.start.means[label], mean, rtol=1e-4, atol=1e-4)
        with torch.no_grad():
            made = model.generator(draw(8).normal(8), torch.full((8,), label), 3.0)
        assert (made.mean(0) - mean).abs().mean() < 0.1
    # what nobody has is like all
    torch.testing.assert_close(model.generator.start.means[5], pictures.mean(0), rtol=1e-4, atol=1e-4)
    assert model_of(starts_at="nothing").generator.start is None


def test_a_start_without_known_labels_is_the_mean_of_all():
    model = at(model_of(), 3.0)
    given = batch(8)
    model.adapt(iter([given.clips]), draw())
    mean = model.representation.encode(given.clips).mean(0)
    assert all(torch.allclose(one, mean, atol=1e-4) for one in model.generator.start.means)


# Nothing here is as quiet.
SILENCE = torch.full((4, 16, 8), -0.8)
REHEARSING = {
    "starts_at": "patterns",
    "objective": "relativistic",
    "picture_weight": 1.0,
    "likeness_weight": 2.0,
    "judged_from": 0.5,
}


def test_the_generator_rehearses_until_the_critic_begins():
    model = model_of(**REHEARSING)
    playing = {progress: [turn.name for turn in model.turns() if turn.is_active(progress)] for progress in (0.0, 0.5)}
    assert playing == {0.0: ["rehearsal"], 0.5: ["critic", "generator"]}
    assert [turn.name for turn in model_of().turns()] == ["critic", "generator"]
    assert set(losses(model, "rehearsal")) == {"pictures", "likeness"}
    assert set(losses(model, "generator")) == {"adversarial", "label", "pictures", "likeness"}


@pytest.mark.slow
def test_a_rehearsal_teaches_which_label_is_which():
    model = at(model_of(**REHEARSING, generator_rate=1e-2), 1.0)
    given = batch(8, labels=[0, 1] * 4)
    # what is labelled 1 is silent
    given = Batch(given.clips * torch.tensor([1.0, 0.0] * 4)[:, None, None], given.labels)
    turn = turn_of(model, "rehearsal")
    optimiser = turn.optimiser(turn.parameters())
    for step in range(20):
        optimiser.zero_grad()
        turn.losses(given, draw(8, seed=step))["pictures"].backward()
        optimiser.step()
    with torch.no_grad():
        levels = [model.generator(draw(8).normal(8), torch.full((8,), label), 1.0)[:, :2].mean() for label in (0, 1)]
    assert levels[0] > levels[1]


def test_a_start_gives_pictures_of_few_patterns_back_from_their_latents():
    start = Start(labels=2, latent=4, shape=(4, 16, 8))
    generator = torch.Generator().manual_seed(0)
    shapes = 0.1 * torch.randn(2, 4, 16, 8, generator=generator)
    labels = torch.arange(400) % 2
    pictures = torch.einsum("nk,kcft->ncft", torch.randn(400, 2, generator=generator), shapes)
    pictures = 0.5 * (pictures + labels[:, None, None, None] * 0.4)
    start.fit(pictures, labels, SILENCE)
    latents = start.latents_of(pictures, labels)
    # two patterns, and what the prior leaves of the labels' difference, are all there is
    assert start.patterns.flatten(1).norm(dim=1).gt(1e-3).tolist() == [True, True, True, False]
    # the outermost hundredth is drawn in
    assert (start(latents, labels) - pictures).abs().flatten(1).amax(1).quantile(0.9) < 0.03
    # ranks are normal
    assert float(latents[:, 0].std()) == pytest.approx(1.0, abs=0.1)


def test_random_latents_have_the_distribution_of_training_pictures_and_go_no_further():
    start = Start(labels=1, latent=2, shape=(4, 16, 8))
    # one in four is loud
    loud = (torch.arange(400) % 4 == 0).float()
    pictures = (0.5 * loud)[:, None, None, None] * torch.ones(1, 4, 16, 8)
    start.fit(pictures, torch.zeros(400, dtype=torch.int64), SILENCE)
    made = start(draw(2_000).normal(2), torch.zeros(2_000, dtype=torch.int64)).mean((1, 2, 3))
    assert float(made.max()) == pytest.approx(0.5, abs=0.01)
    assert float(made.min()) == pytest.approx(0.0, abs=0.01)
    assert float((made > 0.25).float().mean()) == pytest.approx(0.25, abs=0.03)


def test_mono_sounds_are_exactly_mono_and_as_many_as_in_the_data():
    model = at(model_of(**REHEARSING), 3.0)
    given = batch(40)
    clips = given.clips.clone()
    clips[:10, 1] = clips[:10, 0]
    model.adapt(iter(clips.split(7)), draw(), given.labels)
    start = model.generator.start
    assert float(torch.special.ndtr(start.threshold)) == pytest.approx(0.25, abs=1e-4)
    with torch.inference_mode():
        made = torch.cat(list(sample_blocks(model.eval(), 160, 3, condition=torch.arange(160) % 8)))
        is_mono = (made[:, 0] == made[:, 1]).all(1)
        latents = start.latents_of(model.representation.encode(clips), given.labels)
    assert float(is_mono.float().mean()) == pytest.approx(0.25, abs=0.11)
    # those of mono clips make mono again
    assert torch.equal(latents[:, -1] < start.threshold, torch.arange(40) < 10)


@pytest.mark.parametrize("mono", [0, 8])
def test_data_without_mono_sounds_or_with_nothing_else_give_the_same(mono):
    model = at(model_of(**REHEARSING), 3.0)
    given = batch(8)
    clips = given.clips.clone()
    clips[:mono, 1] = clips[:mono, 0]
    model.adapt(iter([clips]), draw(), given.labels)
    with torch.inference_mode():
        (made,) = sample_blocks(model.eval(), 16, 3, condition=torch.arange(16) % 8)
    assert int((made[:, 0] == made[:, 1]).all(1).sum()) == 2 * mono
    assert all(value.isfinite() for value in losses(model, "rehearsal").values())


def test_one_clip_has_no_patterns_and_still_teaches():
    model = at(model_of(**REHEARSING), 3.0)
    model.adapt(iter([batch(1).clips]), draw())
    told = losses(model, "rehearsal")
    assert all(value.isfinite() for value in told.values())


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["mel_bands=256"], "mel_bands is 256: networks of 7 widths make 1024 rows"),
        (["mel_bands=0", "window=1024"], "window / 2 is 512: networks of 7 widths make 1024 rows"),
        (["window=2049"], "window is 2049: must be even"),
        (["spectra=24"], "spectra is 24: must be a power of 2 from 2 to 128"),
        (["hop=600"], "hop is 600: 32 spectra would reach past the clip's 17640 samples"),
        (["seconds=0.01"], "frames is 441: must be from 2048"),
        (["integral=frequency"], "integral=frequency needs form=printed"),
        (["condition_draw=even", "picture_weight=1"], "condition_draw=even needs picture_weight=0"),
        (["likeness_weight=1"], "likeness_weight above 0 needs starts_at=patterns"),
        (["judged_from=0.5"], "judged_from above 0 needs picture_weight or likeness_weight"),
        (["widths=0,8"], "widths are"),
        (["batch=1"], "batch is 1: must be from 2"),
    ],
)
def test_settings_that_do_not_fit_are_refused_by_name(assignments, message):
    with pytest.raises(UsageError, match=message):
        FAMILY.preset("default", assignments)


def test_clips_of_many_samples_take_blocks_of_one_size():
    model = model_of().eval()
    condition = torch.arange(5)
    (few,) = sample_blocks(model, 5, 0, condition=condition)
    (fewer,) = sample_blocks(model, 2, 0, condition=condition[:2])
    assert torch.equal(few[:2], fewer)


def trainer_of(*, is_double=False, precision="32-true"):
    """Return a training of four steps: two rehearsed ones, two with a critic, on a network that grows to step three."""
    model = model_of(**REHEARSING)
    given = batch(8)
    model.adapt(iter([given.clips]), draw(), given.labels)

    def load(first, count):
        chosen = torch.arange(first, first + count) % 8
        return Batch(given.clips[chosen], given.labels[chosen])

    settings = TrainingSettings(4, 4, ema_decay=0.9, clip_norm=None, is_double=is_double)
    return Trainer(model, load, settings, Fabric(accelerator="cpu", devices=1, precision=precision))


@pytest.mark.slow
def test_a_training_that_stops_while_it_grows_goes_on_bit_for_bit(tmp_path):
    whole, first, second = trainer_of(), trainer_of(), trainer_of()
    list(whole.run())
    # the critic has begun, and a resolution is half faded in
    next(step for step in first.run() if step.number == 3)
    start_run(tmp_path, {})
    save_training(first, tmp_path, Choice())
    second.model.growth.fill_(0.0)
    restore_training(second, tmp_path)
    list(second.run())
    for ours, theirs in ((second.model, whole.model), (second.average.model, whole.average.model)):
        wanted = theirs.state_dict()
        assert all(torch.equal(tensor, wanted[name]) for name, tensor in ours.state_dict().items())
    assert whole.model.grown == 3.0


@pytest.mark.slow
def test_a_training_in_double_precision_ends_near_one_in_single():
    single, double = trainer_of(), trainer_of(is_double=True)
    for trainer in (single, double):
        list(trainer.run())
    pairs = zip(single.model.parameters(), double.model.parameters(), strict=True)
    assert all(torch.allclose(ours.double(), theirs, atol=1e-3) for ours, theirs in pairs)


@pytest.mark.slow
def test_a_training_with_nets_in_bfloat16_ends_near_one_in_single():
    single, short = trainer_of(), trainer_of(precision="bf16-mixed")
    for trainer in (single, short):
        assert all(math.isfinite(value) for step in trainer.run() for value in step.losses.values())
    pairs = zip(single.model.parameters(), short.model.parameters(), strict=True)
    # Adam takes steps of one length, whichever way rounding turns them
    assert all((ours - theirs).abs().max() < 4 * 2 * 2e-3 for ours, theirs in pairs)
    assert all(tensor.dtype == torch.float32 for tensor in short.model.parameters())
