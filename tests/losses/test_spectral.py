"""Distances of log spectra."""

import math

import pytest
import torch

from stereokit.losses.spectral import SpectralDistance, difference, spectral_energy

SIZES = {"sizes": (256, 512), "hops": (60, 120), "windows": (150, 300)}


def distance(form="magnitude", epsilon=1e-6):
    return SpectralDistance(**SIZES, form=form, epsilon=epsilon)


def noise(seed=0, items=2, samples=2_000):
    return torch.randn(items, 2, samples, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("form", ["magnitude", "power"])
def test_equal_waves_have_no_distance_and_others_have(form):
    measure = distance(form).double()
    assert measure(noise(), noise()) == 0.0
    assert measure(noise(), noise(1)) > 0.1
    assert measure(noise(), noise(1)) == measure(noise(1), noise())


def test_half_the_level_is_the_logarithm_of_two_whatever_the_wave():
    waves = noise()
    assert distance("magnitude", 1e-12).double()(waves / 2.0, waves).item() == pytest.approx(math.log(2.0))
    assert distance("power", 1e-12).double()(waves / 2.0, waves).item() == pytest.approx(2.0 * math.log(2.0))


def test_silence_is_the_logarithm_of_epsilon():
    silence = torch.zeros(1, 2, 1_000)
    for form in ("magnitude", "power"):
        for level in distance(form, 0.25).levels(silence):
            assert torch.allclose(level, torch.tensor(math.log(0.25)))


def test_a_sine_of_amplitude_one_reaches_a_quarter_of_the_window():
    measure = SpectralDistance(sizes=(512,), hops=(128,), windows=(256,), form="magnitude", epsilon=1e-9)
    # at bin 64 of 512
    sine = torch.sin(2.0 * math.pi * torch.arange(4_096, dtype=torch.float64) / 8.0).expand(1, 2, -1)
    (levels,) = measure.double().levels(sine)
    assert levels.shape == (1, 2, 257, 33)
    assert levels[0, 0, :, 16].argmax() == 64
    assert levels[0, 0, 64, 16].exp().item() == pytest.approx(256 / 4, rel=1e-6)


def test_what_is_far_below_epsilon_does_not_count():
    quiet = 1e-6 * noise()
    assert distance("magnitude", 1.0).double()(quiet, torch.zeros_like(quiet)) < 1e-3


def test_spectral_convergence_is_relative_to_the_real_magnitudes():
    measure, waves = distance().double(), noise()
    assert measure.convergence(waves, waves).item() == pytest.approx(0.0, abs=1e-3)
    assert measure.convergence(1.5 * waves, waves).item() == pytest.approx(0.5, rel=1e-6)
    assert measure.convergence(0.0 * waves, waves).item() == pytest.approx(1.0, rel=1e-6)
    assert measure.convergence(waves, 0.0 * waves).isfinite()


@pytest.mark.parametrize("form", ["magnitude", "power"])
def test_gradients_are_finite_in_silence(form):
    made = torch.zeros(1, 2, 1_000, requires_grad=True)
    measure = distance(form, 1e-7)
    (measure(made, noise(items=1, samples=1_000).float()) + measure.convergence(made, 0.0 * made.detach())).backward()
    assert made.grad.isfinite().all()


def test_transforms_count_the_same_however_large():
    ours = [torch.zeros(1, 2), torch.zeros(1, 200)]
    theirs = [torch.ones(1, 2), torch.full((1, 200), 3.0)]
    assert difference(ours, theirs) == 2.0


def test_the_energy_distance_is_attraction_less_half_the_repulsion():
    first, second, real = [torch.tensor([0.0])], [torch.tensor([2.0])], [torch.tensor([1.5])]
    assert spectral_energy((first, second), real, repulsion=0.0) == 1.0
    assert spectral_energy((first, second), real, repulsion=1.0) == 0.0


def test_noise_beats_the_middle_of_noise_only_with_repulsion():
    generator = torch.Generator().manual_seed(0)
    levels = torch.randn(3, 100_000, generator=generator, dtype=torch.float64)
    real, first, second = ([row] for row in levels)
    middle = [torch.zeros_like(levels[0])]

    def scores(repulsion):
        as_noise = spectral_energy((first, second), real, repulsion=repulsion)
        as_middle = spectral_energy((middle, middle), real, repulsion=repulsion)
        return as_noise.item(), as_middle.item()

    # E|N| = sqrt(2 / pi), and sqrt(2) times as much between two
    mean = math.sqrt(2.0 / math.pi)
    assert scores(0.0) == pytest.approx((math.sqrt(2.0) * mean, mean), rel=0.01)
    assert scores(1.0) == pytest.approx((mean / math.sqrt(2.0), mean), rel=0.01)
