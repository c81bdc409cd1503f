"""Networks that tell real waves from made ones."""

import pytest
import torch

from stereokit.nets.discriminators.multi_period import MultiPeriod, folded
from stereokit.nets.discriminators.multi_scale import MultiScale
from stereokit.nets.discriminators.patch import Patch
from stereokit.nets.discriminators.phase_shuffle import PhaseShuffle, shifted

ALL = {MultiScale: 3, MultiPeriod: 5, Patch: 1, PhaseShuffle: 1}


def made(kind, width=4):
    torch.manual_seed(0)
    return kind(width).eval()


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("samples", [1, 100, 4_410])
@pytest.mark.parametrize("width", [1, 3, 4, 12])
def test_every_view_gives_its_opinions_of_waves_of_any_length_and_width(kind, samples, width):
    opinions = made(kind, width)(torch.randn(2, 2, samples))
    assert len(opinions) == ALL[kind]
    for opinion in opinions:
        assert opinion.verdicts.ndim == 2
        assert len(opinion.verdicts) == 2
        assert opinion.verdicts.isfinite().all()
        assert len(opinion.features) >= 4


@pytest.mark.parametrize("kind", ALL)
def test_an_item_is_judged_by_itself_and_its_features_too(kind):
    judge, waves = made(kind), torch.randn(3, 2, 2_000)
    for whole, alone in zip(judge(waves), judge(waves[1:2]), strict=True):
        torch.testing.assert_close(whole.verdicts[1:2], alone.verdicts)
        for together, single in zip(whole.features, alone.features, strict=True):
            torch.testing.assert_close(together[1:2], single)


def test_rows_of_a_period_hold_its_samples_side_by_side():
    assert folded(torch.arange(7.0)[None, None], 3).tolist() == [[[[0, 1, 2], [3, 4, 5], [6, 0, 0]]]]


def test_a_network_of_a_period_judges_each_phase_by_itself():
    judge, waves = made(MultiPeriod), torch.randn(1, 2, 900)
    moved = waves.clone()
    # samples 0, 3, 6 ... of period 3
    moved[..., ::3] += 1.0
    before, after = (judge(one)[1].verdicts.view(-1, 3) for one in (waves, moved))
    changed = (before - after).abs().sum(0) > 1e-6
    assert changed.tolist() == [True, False, False]


def test_lower_rates_do_not_hear_what_is_high():
    judge = made(MultiScale)
    # alternating samples: gone once two are averaged
    high = torch.tensor([1.0, -1.0]).repeat(1_000).expand(1, 2, -1)
    first, second, _ = judge(high)
    _, silence, _ = judge(torch.zeros(1, 2, 2_000))
    assert not torch.allclose(first.verdicts, judge(torch.zeros(1, 2, 2_000))[0].verdicts)
    # the ends are averages over fewer samples
    torch.testing.assert_close(second.features[0][..., 8:-8], silence.features[0][..., 8:-8])


def test_a_patch_sees_1705_samples():
    judge = made(Patch)
    wave = torch.zeros(1, 2, 8_192, requires_grad=True)
    verdicts = judge(wave + torch.randn(1, 2, 8_192))[0].verdicts
    assert verdicts.shape == (1, 32)
    verdicts[0, 16].backward()
    seen = wave.grad[0].abs().sum(0).nonzero().flatten()
    assert int(seen[-1] - seen[0]) + 1 == 1_705


def test_features_are_moved_only_while_it_trains():
    judge, waves = made(PhaseShuffle), torch.randn(1, 2, 3_000)
    assert torch.equal(judge(waves)[0].verdicts, judge(waves)[0].verdicts)
    assert judge(waves)[0].verdicts.shape == (1, 1)
    judge.train()
    found = torch.cat([judge(waves)[0].verdicts for _ in range(8)])
    assert len(found.unique()) > 1


def test_items_are_moved_by_their_own_shift_and_mirrored_at_the_ends():
    items = torch.arange(5.0).expand(3, 1, 5)
    assert shifted(items, torch.tensor([0, 1, -2]), most=2)[:, 0].tolist() == [
        [0, 1, 2, 3, 4],
        [1, 0, 1, 2, 3],
        [2, 3, 4, 3, 2],
    ]
