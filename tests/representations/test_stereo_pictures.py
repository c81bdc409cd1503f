"""Pictures of stereo clips, and clips of pictures."""

import math

import pytest
import torch

from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.features.stsd import FEATURE as STSD
from stereokit.representations.own_range_pictures import OwnRangePictures
from stereokit.representations.stereo_pictures import StereoPictures

RATE = 44_100
SAMPLES = 26_460


def nothing(*shape):
    raise AssertionError("nothing is drawn")


def seeded(count):
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.rand(count, *shape, generator=generator)


def sines(hertz, left=0.5, right=0.5):
    times = torch.arange(SAMPLES) / RATE
    waves = torch.stack([torch.sin(2 * math.pi * f * times) for f in hertz])
    waves *= torch.exp(-3.0 * times)
    return torch.stack([left * waves, right * waves], dim=1)


def noise_bursts(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    falling = torch.exp(-8.0 * torch.arange(SAMPLES) / RATE)
    return 0.3 * torch.randn(count, 2, SAMPLES, generator=generator).clamp(-3, 3) * falling


def impulses(places):
    clips = torch.zeros(len(places), 2, SAMPLES)
    for row, place in enumerate(places):
        clips[row, :, place] = 0.9
    return clips


def energy_db(clips):
    return 10.0 * torch.log10(clips.double().square().mean(-1))


def balance_db(clips):
    left, right = energy_db(clips).unbind(1)
    return left - right


def stsd_distance(first, second):
    """Earth mover's distance of the short-time side distances of two clips."""
    values = [
        torch.from_numpy(STSD.sequence(Excerpt(clip[0].numpy(), clip[1].numpy(), RATE, 1.0)).ravel()).sort().values
        for clip in (first, second)
    ]
    return float((values[0] - values[1]).abs().mean())


def there_and_back(clips, **options):
    pictures = StereoPictures(samples=SAMPLES, sample_rate=RATE, **options)
    return pictures.decode(pictures.encode(clips), nothing)


def test_a_full_scale_sine_has_0_db_and_silence_the_floor():
    pictures = StereoPictures(samples=SAMPLES, sample_rate=RATE)
    hertz = 100 * RATE / 510
    times = torch.arange(SAMPLES, dtype=torch.float64) / RATE
    sine = torch.sin(2 * math.pi * hertz * times).float()
    encoded = pictures.encode(torch.stack([sine, torch.zeros(SAMPLES)])[None])
    assert encoded.shape == (1, 2, 256, 256)
    assert encoded[0, 0, 100, 128] == pytest.approx(1.0, abs=1e-4)
    assert torch.all(encoded[0, 1] == -1.0)


@pytest.mark.parametrize("channels", ["left-right", "image"])
@pytest.mark.parametrize("gain_db", [-6.0, -20.0])
def test_level_survives_where_the_published_pictures_lose_it(channels, gain_db):
    loud = noise_bursts(4)
    quiet = loud * 10 ** (gain_db / 20)
    change = energy_db(there_and_back(quiet, channels=channels)) - energy_db(there_and_back(loud, channels=channels))
    # a little more than the gain is lost, since the quietest places fall under the floor
    assert torch.all((change - gain_db).abs() < 0.2)
    published = OwnRangePictures(samples=SAMPLES, sample_rate=RATE)
    torch.testing.assert_close(published.encode(quiet), published.encode(loud), atol=1e-3, rtol=0)


def test_balance_survives_where_the_published_pictures_lose_it():
    clips = noise_bursts(4)
    clips[:, 1] = clips[:, 0] * 0.25
    wanted = balance_db(clips)
    assert torch.all((balance_db(there_and_back(clips)) - wanted).abs() < 0.1)
    published = OwnRangePictures(samples=SAMPLES, sample_rate=RATE)
    lost = published.decode(published.encode(clips), seeded(4))
    assert torch.all((balance_db(lost) - wanted).abs() > 6.0)


@pytest.mark.parametrize("channels", ["left-right", "image"])
@pytest.mark.parametrize("frequency", [{}, {"frequency": "logarithmic", "window": 2046}])
def test_a_mono_sound_comes_back_exactly_mono(channels, frequency):
    clips = noise_bursts(2)
    clips[:, 1] = clips[:, 0]
    back = there_and_back(clips, channels=channels, **frequency)
    assert torch.equal(back[:, 0], back[:, 1])
    assert back.abs().max() > 0.05


def test_the_published_way_back_breaks_a_mono_sound():
    clips = noise_bursts(2)
    clips[:, 1] = clips[:, 0]
    published = OwnRangePictures(samples=SAMPLES, sample_rate=RATE)
    left, right = published.decode(published.encode(clips), seeded(2)).unbind(1)
    # independent phases: the side is as loud as the middle
    side = (left - right).square().mean() / (left + right).square().mean()
    assert side > 0.5


def test_the_iterated_phases_are_the_ones_that_are_used():
    clips = noise_bursts(4)
    wrong = []
    for iterations in (0, 10, 30):
        pictures = StereoPictures(samples=SAMPLES, sample_rate=RATE, iterations=iterations)
        encoded = pictures.encode(clips)
        wrong.append(float((pictures.encode(pictures.decode(encoded, nothing)) - encoded).abs().mean()))
    assert wrong[1] < 0.8 * wrong[0]
    assert wrong[2] < wrong[1]


def test_sines_keep_their_frequency_and_level():
    generator = torch.Generator().manual_seed(3)
    hertz = (50.0 * 2.0 ** (8.0 * torch.rand(12, generator=generator, dtype=torch.float64))).tolist()
    clips = sines(hertz)
    back = there_and_back(clips)
    spectra = torch.fft.rfft(back[:, 0], dim=-1).abs()
    found = spectra.argmax(-1).double() * RATE / SAMPLES
    cents = 1_200 * torch.log2(found / torch.tensor(hertz)).abs()
    # rows are 86 Hz apart: the frequency between them comes from the slopes of the levels
    assert cents.median() < 10
    assert cents.max() < 200
    assert torch.all((energy_db(back) - energy_db(clips)).abs() < 1.5)


@pytest.mark.parametrize("channels", ["left-right", "image"])
def test_impulses_stay_where_they_are(channels):
    places = [300, 5_000, 12_345, 20_000]
    back = there_and_back(impulses(places), channels=channels)
    for clip, place in zip(back, places, strict=True):
        power = clip[0].double().square()
        near = power[max(place - 110, 0) : place + 110].sum()
        assert near / power.sum() > 0.95


def test_the_image_preset_tells_left_from_right():
    clips = noise_bursts(4)
    clips[:2, 1] *= 0.2
    clips[2:, 0] *= 0.2
    back = there_and_back(clips, channels="image")
    # 14 dB apart, and the rest has nothing in common: the hardest case; the wrong sign would be off by 28 dB
    torch.testing.assert_close(balance_db(back), balance_db(clips), atol=2.0, rtol=0)


def test_the_image_preset_carries_a_side_signal_that_two_magnitudes_cannot():
    # inverted in one channel: both magnitudes are those of a mono sound
    clips = noise_bursts(4)
    clips[:, 1] = -clips[:, 0]
    lost = [stsd_distance(clip, back) for clip, back in zip(clips, there_and_back(clips), strict=True)]
    kept = [
        stsd_distance(clip, back) for clip, back in zip(clips, there_and_back(clips, channels="image"), strict=True)
    ]
    assert max(kept) < 0.1 * min(lost)


def test_logarithmic_rows_resolve_the_low_end_and_come_back():
    pictures = StereoPictures(samples=SAMPLES, sample_rate=RATE, frequency="logarithmic", window=2046)
    encoded = pictures.encode(sines([50.0, 100.0]))
    rows = encoded[:, 0, :, 60].argmax(-1)
    # a tenth of the ten octaves from 20 Hz to half the rate; evenly spaced in Hz, both lie in the first two rows
    assert 15 <= int(rows[1] - rows[0]) <= 35
    back = pictures.decode(encoded, nothing)
    found = torch.fft.rfft(back[:, 0], dim=-1).abs().argmax(-1) * RATE / SAMPLES
    torch.testing.assert_close(found, torch.tensor([50.0, 100.0]), atol=6.0, rtol=0)


@pytest.mark.parametrize("representation", [StereoPictures, OwnRangePictures])
def test_a_decoded_clip_has_its_length_and_ends_in_silence(representation):
    pictures = representation(samples=SAMPLES, sample_rate=RATE)
    back = pictures.decode(torch.rand(2, *pictures.shape) * 2 - 1, seeded(2))
    assert back.shape == (2, 2, SAMPLES)
    assert torch.all(back[..., -1] == 0.0)
    assert torch.isfinite(back).all()


@pytest.mark.parametrize("representation", [StereoPictures, OwnRangePictures])
def test_silence_stays_silent_in_pictures(representation):
    pictures = representation(samples=SAMPLES, sample_rate=RATE)
    assert torch.all(pictures.encode(torch.zeros(1, 2, SAMPLES)) == -1.0)


def test_silent_pictures_give_silence():
    pictures = StereoPictures(samples=SAMPLES, sample_rate=RATE)
    assert torch.all(pictures.decode(-torch.ones(1, 2, 256, 256), nothing) == 0.0)


def test_band_levels_tell_mid_from_side_and_have_a_gradient():
    pictures = StereoPictures(samples=SAMPLES, sample_rate=RATE)
    clips = noise_bursts(1)
    clips[:, 1] = clips[:, 0]
    encoded = pictures.encode(clips).requires_grad_()
    levels = pictures.band_levels(encoded)
    assert levels.shape[:3] == (1, 2, 40)
    assert levels[0, 0].max() > 0.5
    assert torch.all(levels[0, 1].abs() < 1e-5)
    levels[0, 0].sum().backward()
    assert encoded.grad.abs().max() > 0


def test_a_picture_with_other_rows_than_the_window_has_bins_is_refused():
    with pytest.raises(ValueError, match="512 samples has 257 bins"):
        StereoPictures(samples=SAMPLES, sample_rate=RATE, window=512)
