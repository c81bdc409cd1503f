"""Levels and phase steps of two channels, and clips of them."""

import math

import pytest
import torch

from stereokit.audio.spectrum import hz_to_mel, mel_to_hz
from stereokit.metrics.excerpt import Excerpt
from stereokit.metrics.side import short_time_side_distance
from stereokit.representations._bands import mel_matrix, wrapped
from stereokit.representations.mel_phase import MelPhase

RATE = 8_000
SAMPLES = 1_600
# An eighth of the published sizes, for speed.
SMALL = {"samples": SAMPLES, "sample_rate": RATE, "window": 256, "hop": None, "bands": 128}
# What the fade at the end leaves alone.
KEPT = SAMPLES - 80 - 51


def nothing(*shape):
    raise AssertionError("nothing is drawn")


def noise_bursts(count, *, samples=SAMPLES, rate=RATE):
    generator = torch.Generator().manual_seed(0)
    falling = torch.exp(-8.0 * torch.arange(samples) / rate)
    return 0.2 * torch.randn(count, 2, samples, generator=generator).clamp(-3, 3) * falling


def chords(count):
    """Return saws of a drawn pitch with their harmonics at drawn places between left and right."""
    generator = torch.Generator().manual_seed(1)
    times = torch.arange(SAMPLES) / RATE
    clips = []
    for _ in range(count):
        root_hz = 110.0 * 2.0 ** float(torch.rand(1, generator=generator))
        numbers = torch.arange(1, int(0.4 * RATE / root_hz))[:, None]
        waves = torch.sin(2 * math.pi * root_hz * numbers * times) / numbers
        places = torch.rand(len(numbers), 2, 1, generator=generator)
        clips.append((places * waves[:, None]).sum(0))
    fade = torch.exp(-5.0 * times) * (times / 0.01).clamp(0, 1)
    return 0.25 * torch.stack(clips) * fade


def noise_ratio_db(clips, back):
    """Return signal over error, dB, of each clip, without its end."""
    clips, back = clips[..., :KEPT].double(), back[..., :KEPT].double()
    return 10 * torch.log10(clips.square().sum((1, 2)) / (clips - back).square().sum((1, 2)))


def there_and_back(clips, **options):
    form = MelPhase(**SMALL | options)
    return form.decode(form.encode(clips), nothing)


def sides(clips):
    return [
        torch.from_numpy(short_time_side_distance(Excerpt(*clip.numpy(), RATE, 1.0))).sort().values for clip in clips
    ]


def side_distance(clips, back):
    return sum(float((a - b).abs().mean()) for a, b in zip(sides(clips), sides(back), strict=True)) / len(clips)


def test_the_published_sizes_give_pictures_of_4_by_1024_by_32():
    form = MelPhase(samples=17_640, sample_rate=44_100)
    assert form.shape == (4, 1024, 32)
    assert form.transform.hop == 512
    assert form.encode(noise_bursts(2, samples=17_640, rate=44_100)).shape == (2, 4, 1024, 32)


@pytest.mark.parametrize(("bands", "rows"), [(0, 128), (32, 32), (128, 128)])
def test_rows_are_the_bands_or_the_transforms_own_bins(bands, rows):
    assert MelPhase(**SMALL | {"bands": bands}).shape == (4, rows, 32)


@pytest.mark.parametrize("form", ["mended", "printed"])
@pytest.mark.parametrize("bands", [0, 32, 128])
def test_whatever_the_clip_a_picture_stays_within_1(form, bands):
    clips = torch.cat([noise_bursts(2), torch.ones(1, 2, SAMPLES), torch.zeros(1, 2, SAMPLES)])
    loudest = torch.sign(torch.sin(2 * math.pi * 500 * torch.arange(SAMPLES) / RATE + 0.1)).expand(1, 2, SAMPLES)
    encoded = MelPhase(**SMALL | {"form": form, "bands": bands}).encode(torch.cat([clips, loudest]))
    assert torch.isfinite(encoded).all()
    assert encoded.abs().max() <= 1.0 + 1e-6


def test_a_sine_has_the_level_of_its_power_and_the_side_of_a_mono_clip_the_lowest():
    form = MelPhase(**SMALL | {"bands": 0})
    hertz = 40 * RATE / 256
    sine = 0.5 * torch.sin(2 * math.pi * hertz * torch.arange(SAMPLES) / RATE)
    encoded = form.encode(sine.expand(1, 2, SAMPLES))
    assert form.power(encoded)[0, 0, 40, 15] == pytest.approx((0.5 * 256 / 4) ** 2, rel=1e-3)
    assert torch.all(encoded[0, 1] == -0.8)
    # nothing is heard there, so its phase stays where it is
    assert torch.all(encoded[0, 3] == 0.0)


def test_the_steps_of_a_sine_tell_how_far_it_lies_from_each_row_wherever_it_lies():
    form = MelPhase(**SMALL | {"bands": 0})
    times = torch.arange(SAMPLES, dtype=torch.float64) / RATE
    for place in (20.0, 47.3, 90.5):
        sine = torch.sin(2 * math.pi * place * RATE / 256 * times).float()
        steps = form.encode(sine.expand(1, 2, SAMPLES))[0, 2, :, 10:20]
        near = torch.arange(round(place) - 1, round(place) + 2)
        # half turns that the sine makes in a hop more than the row
        wanted = 2.0 * form.transform.hop / 256 * (place - near)
        torch.testing.assert_close(steps[near], wanted[:, None].expand(-1, 10).float(), atol=0.02, rtol=0)


def test_a_sound_after_silence_comes_back_with_its_phase():
    clips = chords(2)
    late = torch.zeros_like(clips)
    late[..., 550:] = clips[..., :-550]
    assert noise_ratio_db(late, there_and_back(late, bands=0, floor=1e-9)).min() > 80


@pytest.mark.parametrize("form", ["mended", "printed"])
@pytest.mark.parametrize("channels", ["mid-side", "left-right", "rotated"])
def test_without_mel_bands_a_clip_comes_back(form, channels):
    clips = chords(3)
    back = there_and_back(clips, bands=0, form=form, channels=channels, angle_degrees=30.0, floor=1e-9)
    assert noise_ratio_db(clips, back).min() > 80


def test_what_lies_under_the_floor_is_lost():
    clips = chords(3)
    ratios = [noise_ratio_db(clips, there_and_back(clips, bands=0, floor=floor)).mean() for floor in (1e-2, 1e-4, 1e-6)]
    assert ratios[0] + 10 < ratios[1] < ratios[2] - 10


def test_mended_bands_come_back_where_printed_ones_do_not_and_summed_over_frequency_nothing_is_left():
    clips = chords(4)
    mended = noise_ratio_db(clips, there_and_back(clips))
    printed = noise_ratio_db(clips, there_and_back(clips, form="printed"))
    destroyed = noise_ratio_db(clips, there_and_back(clips, form="printed", integral="frequency"))
    assert mended.min() > 25
    assert torch.all(mended > printed + 10)
    assert torch.all(printed > destroyed + 2)
    # two waves that have nothing in common: error and signal are about as large
    assert destroyed.abs().max() < 3


def test_bands_a_quarter_as_many_come_back_and_keep_the_width():
    clips = chords(4)
    back = there_and_back(clips, bands=32)
    assert noise_ratio_db(clips, back).min() > 10
    assert side_distance(clips, back) < 0.02 * side_distance(clips, torch.zeros_like(clips))


def test_iterations_keep_the_width_of_pictures_whose_phases_do_not_agree():
    clips = noise_bursts(4)
    lost = []
    for iterations in (0, 5):
        form = MelPhase(**SMALL, iterations=iterations)
        encoded = form.encode(clips)
        encoded[:, 2:] += 0.1 * torch.randn(encoded[:, 2:].shape, generator=torch.Generator().manual_seed(2))
        lost.append(side_distance(clips, form.decode(encoded, nothing)))
    assert lost[1] < 0.5 * lost[0]


@pytest.mark.parametrize("bands", [0, 32])
def test_a_mono_clip_comes_back_exactly_mono(bands):
    clips = noise_bursts(2)
    clips[:, 1] = clips[:, 0]
    back = there_and_back(clips, bands=bands)
    assert torch.equal(back[:, 0], back[:, 1])
    assert back.abs().max() > 0.05


def test_45_degrees_are_mid_and_side_and_any_angle_keeps_the_energy():
    clips = noise_bursts(2)
    middle_side = MelPhase(**SMALL).mixing @ clips
    torch.testing.assert_close(middle_side[:, 0], (clips[:, 0] + clips[:, 1]) / 2)
    torch.testing.assert_close(middle_side[:, 1], (clips[:, 0] - clips[:, 1]) / 2)
    for angle in (0.0, 20.0, 45.0, 160.0):
        form = MelPhase(**SMALL, channels="rotated", angle_degrees=angle)
        turned = form.mixing @ clips
        torch.testing.assert_close(turned.square().sum((1, 2)), clips.square().sum((1, 2)) / 2)
        torch.testing.assert_close(form.unmixing @ turned, clips)
    turned = MelPhase(**SMALL, channels="rotated").mixing @ clips
    torch.testing.assert_close(turned, middle_side)


@pytest.mark.parametrize("form", ["mended", "printed"])
@pytest.mark.parametrize("hop", [None, 40, 64])
def test_any_picture_becomes_a_finite_clip_of_its_length_that_ends_in_silence(form, hop):
    pictures = MelPhase(**SMALL | {"form": form, "hop": hop})
    generator = torch.Generator().manual_seed(0)
    back = pictures.decode(3 * torch.rand(2, *pictures.shape, generator=generator) - 1.5, nothing)
    assert back.shape == (2, 2, SAMPLES)
    assert torch.isfinite(back).all()
    assert torch.all(back[..., -1] == 0.0)


def test_silence_stays_silent():
    form = MelPhase(**SMALL)
    encoded = form.encode(torch.zeros(1, 2, SAMPLES))
    assert torch.all(encoded[:, :2] == -0.8)
    assert torch.all(form.decode(encoded, nothing) == 0.0)


def test_a_clip_decodes_alike_alone_and_among_others():
    form = MelPhase(**SMALL | {"bands": 32}).double()
    clips = chords(3).double()
    together = form.decode(form.encode(clips), nothing)
    assert together.dtype == torch.float64
    torch.testing.assert_close(form.decode(form.encode(clips[1:2]), nothing), together[1:2], atol=1e-6, rtol=0)


def test_levels_and_steps_pass_gradients_to_the_clip():
    form = MelPhase(**SMALL | {"bands": 32})
    encoded = form.encode(chords(1)).requires_grad_()
    form.decode(encoded, nothing).square().sum().backward()
    assert torch.isfinite(encoded.grad).all()
    assert encoded.grad[:, :2].abs().max() > 0
    assert encoded.grad[:, 2:].abs().max() > 0


def test_the_printed_matrix_has_triangles_of_15_bins_at_least_and_none_at_0_hz():
    matrix = torch.from_numpy(mel_matrix(bands=1024, bins=1024, sample_rate=44_100))
    assert torch.all(matrix[:, 0] == 0.0)
    assert matrix.max() <= 1.0
    # 1.5 bins hold one or two, and a triangle of width w adds up to w / 2 on average
    held = (matrix[100:200] > 0).sum(1)
    assert set(held.tolist()) == {1, 2}
    assert matrix[100:200].sum(1).mean() == pytest.approx(0.75, abs=0.02)
    # further up a triangle reaches from neighbour to neighbour: it adds up to the way between two, in bins
    for row in (600, 800, 1_000):
        apart_hz = (mel_to_hz((row + 2) / 1025 * hz_to_mel(22_050)) - mel_to_hz(row / 1025 * hz_to_mel(22_050))) / 2
        assert matrix[row].sum() == pytest.approx(apart_hz / (22_050 / 1023), rel=0.05)


@pytest.mark.parametrize("bands", [5, 16, 32, 128])
def test_means_over_parts_are_those_over_all_bins(bands):
    rows = MelPhase(**SMALL | {"bands": bands}).bands
    values = torch.rand(3, 128, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(rows._means(values), rows.filters @ values)
    torch.testing.assert_close(rows.filters.sum(1), torch.ones(bands))


def test_angles_are_wrapped_to_half_a_turn():
    turned = wrapped(torch.tensor([0.3, 1.3, -1.3, 4.0, 0.999]))
    torch.testing.assert_close(turned, torch.tensor([0.3, -0.7, 0.7, 0.0, 0.999]))


def test_only_the_printed_form_sums_over_frequency():
    with pytest.raises(ValueError, match="only the printed form"):
        MelPhase(**SMALL, integral="frequency")
