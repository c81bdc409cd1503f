"""``enhancer``: the published networks to the number, what it learns from, and how two channels go through it."""

from dataclasses import replace
from itertools import islice

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from stereokit.errors import UsageError
from stereokit.models.enhancer.config import FAMILY, PRESETS, EnhancerConfig
from stereokit.models.enhancer.model import Model
from stereokit.training.draw import Draw
from stereokit.training.settings import TrainingSettings
from stereokit.training.trainer import Trainer
from stereokit.training.turn import Batch

TINY = PRESETS["tiny"]


def model_of(**changes: object) -> Model:
    torch.manual_seed(0)
    return Model(replace(TINY, **changes))


def losses_of(model: Model, name: str, *, clips: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
    (turn,) = (turn for turn in model.turns() if turn.name == name)
    draw = Draw((0,), range(len(clips)))
    return {key: float(value.detach()) for key, value in turn.losses(Batch(clips, None, targets), draw).items()}


def sounds(count: int = 4, frames: int = 256, *, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(count, 2, frames, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def published() -> Model:
    with torch.device("meta"):
        return Model(PRESETS["published"])


def shapes(modules: nn.ModuleList, network: nn.Module, signals: torch.Tensor) -> list[tuple[int, ...]]:
    """Return what each module gives, without the batch."""
    found: list[tuple[int, ...]] = []
    hooks = [module.register_forward_hook(lambda _m, _i, made: found.append(made.shape[1:])) for module in modules]
    network(signals)
    for hook in hooks:
        hook.remove()
    return [tuple(shape) for shape in found]


class TestThePublishedNetworks:
    def test_they_have_the_printed_numbers_of_parameters(self, published: Model):
        counts = [
            sum(parameter.numel() for parameter in network.parameters())
            for network in (published.generator, published.critic, published.autoencoder)
        ]
        assert counts == [3_106_781, 3_142_693, 39_409]

    def test_the_generator_has_the_printed_shapes(self, published: Model):
        signals = torch.zeros(1, 1, 8_192, device="meta")
        generator = published.generator
        down = shapes(generator.down, generator, signals)
        # a superpixel layer follows each: twice the channels in half the time
        assert [(2 * channels, width // 2) for channels, width in down] == [
            (128, 4_096), (256, 2_048), (512, 1_024), (1_024, 512),
            (2_048, 256), (2_048, 128), (2_048, 64), (2_048, 32),
        ]  # fmt: skip
        up = shapes(generator.up, generator, signals)
        assert [(channels // 2, 2 * width) for channels, width in up] == [
            (512, 64), (512, 128), (512, 256), (512, 512), (256, 1_024), (128, 2_048), (64, 4_096), (32, 8_192),
        ]  # fmt: skip
        assert generator(signals).shape == signals.shape

    def test_critic_and_autoencoder_have_the_printed_shapes(self, published: Model):
        signals = torch.zeros(1, 1, 8_192, device="meta")
        critic, autoencoder = published.critic, published.autoencoder
        assert shapes(nn.ModuleList([critic.first]), critic, signals) == [(64, 8_192)]
        assert shapes(critic.norms, critic, signals) == [(128, 4_096 >> number) for number in range(7)]
        assert [layer.out_features for layer in critic.dense if isinstance(layer, nn.Linear)] == [128, 1]
        assert autoencoder.bottleneck(signals).shape == (1, 128, 512)
        assert autoencoder(signals).shape == signals.shape


class TestWhatItLearnsFrom:
    def test_every_loss_is_0_or_at_its_end_for_what_is_right_already(self):
        model = model_of(loss=("time", "frequency", "autoencoder", "log-spectral"))
        clips = sounds()
        model.generator.forward = lambda signals: signals
        found = losses_of(model, "generator", clips=clips, targets=clips)
        assert set(found) == {"time", "frequency", "autoencoder", "log-spectral"}
        assert all(value == pytest.approx(0.0, abs=1e-9) for value in found.values())
        wrong = losses_of(model, "generator", clips=clips, targets=sounds(seed=1))
        assert all(wrong[name] > 1e-6 for name in found)

    @pytest.mark.parametrize("loss", ["time", "frequency", "autoencoder", "adversarial", "log-spectral"])
    def test_a_loss_alone_is_the_only_one_and_brings_the_networks_it_needs(self, loss: str):
        model = model_of(loss=(loss,), classifier_weight=0.0)
        assert (model.critic is None) == (loss != "adversarial")
        assert (model.autoencoder is None) == (loss != "autoencoder")
        assert set(losses_of(model, "generator", clips=sounds(), targets=sounds(seed=1))) == {loss}

    def test_weights_are_those_of_the_configuration(self):
        found = [
            losses_of(
                model_of(frequency_weight=weight, log_spectral_weight=weight, autoencoder_weight=weight,
                         adversarial_weight=weight),
                "generator", clips=sounds(), targets=sounds(seed=1),
            )
            for weight in (1.0, 3.0)
        ]  # fmt: skip
        for name, value in found[0].items():
            assert found[1][name] == pytest.approx(value if name == "time" else 3.0 * value, rel=1e-4)

    def test_the_autoencoder_learns_first_and_then_stays_as_it_is(self):
        turns = {turn.name: turn for turn in model_of(classifier_weight=0.0).turns()}
        assert list(turns) == ["autoencoder-inputs", "autoencoder-targets", "critic", "generator"]
        early = {name for name, turn in turns.items() if turn.is_active(0.1)}
        late = {name for name, turn in turns.items() if turn.is_active(0.9)}
        assert early == {"autoencoder-inputs", "autoencoder-targets"}
        assert late == {"critic", "generator"}
        assert turns["critic"].repeats == TINY.critic_steps

    @pytest.mark.slow
    def test_a_classifier_on_the_bottleneck_learns_to_tell_inputs_from_targets(self):
        model = model_of(autoencoder_until=0.999, rate=1e-2, classifier_weight=1.0)
        pure = torch.sin(torch.arange(256.0) * 0.2).expand(4, 2, 256)

        def load(first: int, count: int) -> Batch:
            return Batch(0.1 * pure[:count], None, sounds(count, seed=first))

        trainer = Trainer(model, load, TrainingSettings(40, 4), Fabric(accelerator="cpu", devices=1))
        steps = list(islice(trainer.run(), 30))
        told = [step.losses["autoencoder/class"] for step in steps]
        # from the toss of a coin
        assert told[0] == pytest.approx(0.69, rel=0.35)
        assert told[-1] < 0.3

    @pytest.mark.parametrize("adversary", ["gradient-penalty", "weight-clipping", "plain", "non-saturating"])
    def test_each_adversary_has_a_game_of_its_own(self, adversary: str):
        model = model_of(adversary=adversary)
        found = losses_of(model, "critic", clips=sounds(), targets=sounds(seed=1))
        names = {"gradient-penalty": {"wasserstein", "penalty"}, "weight-clipping": {"wasserstein"}}
        assert set(found) == names.get(adversary, {"odds"})

    def test_clipped_weights_stay_within_their_limit(self):
        model = model_of(adversary="weight-clipping", clip=0.02, loss=("time", "adversarial"), classifier_weight=0.0)
        load = lambda first, count: Batch(sounds(count, seed=first), None, sounds(count, seed=first + 1))  # noqa: E731
        trainer = Trainer(model, load, TrainingSettings(2, 4), Fabric(accelerator="cpu", devices=1))
        next(trainer.run())
        largest = max(float(parameter.detach().abs().max()) for parameter in model.critic.parameters())
        assert largest == pytest.approx(0.02)
        assert max(float(parameter.detach().abs().max()) for parameter in model.generator.parameters()) > 0.02

    def test_the_stepped_schedule_halves_the_rate_four_times(self):
        config = PRESETS["published"]
        assert [config.rate_factor(progress) for progress in (0.0, 0.2, 0.5, 0.99, 1.0)] == [
            1,
            0.5,
            0.25,
            0.0625,
            0.0625,
        ]

    @pytest.mark.slow
    def test_it_comes_nearer_to_the_targets_of_a_few_sounds(self):
        model = model_of(loss=("time",), classifier_weight=0.0, rate=1e-2, dropout=0.0, fold=4, blocks=2)
        clips = sounds()
        load = lambda first, count: Batch(clips, None, -clips)  # noqa: E731
        trainer = Trainer(model, load, TrainingSettings(30, 4), Fabric(accelerator="cpu", devices=1))
        told = [step.losses["generator/time"] for step in trainer.run()]
        assert told[-1] < 0.7 * told[0]


class TestTwoChannels:
    @pytest.mark.parametrize("channels", ["mid-side", "left-right", "each"])
    def test_convert_gives_sounds_of_the_same_form(self, channels: str):
        model = model_of(channels=channels).eval()
        for frames in (1, 255, 256, 300):
            assert model.convert(sounds(2, frames)).shape == (2, 2, frames)

    def test_each_channel_alone_goes_through_one_network(self):
        model = model_of(channels="each").eval()
        clips = sounds(2)
        made = model.convert(clips)
        assert torch.allclose(model.convert(clips.flip(1)), made.flip(1), atol=1e-7)
        seen = model.seen(clips)
        assert seen.signals.shape == (4, 1, 256)
        torch.testing.assert_close(seen.signals[1, 0] * seen.scale[0, 0], clips[0, 1])

    def test_mid_and_side_go_through_together_and_back(self):
        model = model_of(channels="mid-side").eval()
        model.generator.forward = lambda signals: signals
        clips = sounds(2)
        torch.testing.assert_close(model.convert(clips), clips)
        mono = clips[:, :1].expand(-1, 2, -1)
        assert not model.seen(mono).signals[:, 1].any()

    def test_a_matched_level_makes_loud_and_quiet_sounds_alike(self):
        model = model_of().eval()
        clips = sounds(2)
        torch.testing.assert_close(model.convert(0.125 * clips), 0.125 * model.convert(clips))
        as_is = model_of(level="as-is").eval()
        assert not torch.allclose(as_is.convert(0.125 * clips), 0.125 * as_is.convert(clips), rtol=1e-2)

    def test_silence_stays_silent_and_what_is_nearly_silent_stays_nearly_so(self):
        model = model_of().eval()
        assert not model.convert(torch.zeros(2, 2, 256)).any()
        assert model.convert(1e-6 * torch.ones(1, 2, 256)).abs().max() < 1e-4

    def test_with_the_skip_a_generator_that_adds_nothing_is_the_identity(self):
        model = model_of(has_skip=True).eval()
        nn.init.zeros_(model.generator.last.weight)
        nn.init.zeros_(model.generator.last.bias)
        clips = sounds(2, 300)
        torch.testing.assert_close(model.convert(clips), clips)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["loss=time,time"], "name each loss once"),
        (["loss="], "one at least"),
        (["loss=loud"], "choose from"),
        (["kernels=3,8", "shares=1,1"], "odd"),
        (["kernels=3"], "give each kernel a share"),
        (["width=20"], "width is 20"),
        (["fold=3"], "power of 2"),
        (["loss=time", "classifier_weight=1"], "not in loss"),
        (["autoencoder_until=1"], "autoencoder_until is 1"),
    ],
)
def test_what_does_not_go_together_is_refused(words: list[str], told: str):
    with pytest.raises(UsageError, match=told):
        FAMILY.preset("default", words)


def test_the_configuration_knows_when_the_generator_begins():
    assert EnhancerConfig().begins == 0.0
    assert EnhancerConfig(loss=("time", "autoencoder"), autoencoder_until=0.3).begins == 0.3


class TestTheLinearFilter:
    def test_it_helps_the_generator_and_adds_to_what_that_makes(self):
        model = model_of(filter_taps=8, loss=("time",), classifier_weight=0.0, channels="left-right", level="as-is")
        model.eval()
        clips = sounds(2)
        nn.init.zeros_(model.generator.last.weight)
        nn.init.zeros_(model.generator.last.bias)
        assert not model.convert(clips).any()
        with torch.no_grad():
            model.generator.filter.taps[:, :, 4] = torch.eye(2)
        torch.testing.assert_close(model.convert(clips), clips)

    def test_it_learns_at_a_rate_of_its_own_and_hears_the_inputs_first(self):
        model = model_of(filter_taps=8, rate=1e-3, filter_rate=0.5)
        optimiser = model.turns()[-1].optimiser(model.turns()[-1].parameters())
        assert [group["lr"] for group in optimiser.param_groups] == [1e-3, 5e-4]
        assert optimiser.param_groups[1]["params"] == [model.generator.filter.taps]
        model.adapt(iter([sounds()]), Draw((0,), [0]))
        assert len(model.generator.filter.whitening.unique()) > 100

    def test_without_it_there_is_none(self, published: Model):
        assert published.generator.filter is None
