"""Mel levels of mid and side, and sounds of pictures that hold on to a source's phase."""

import math

import pytest
import torch

from stereokit.representations.mel_levels import MelLevels

RATE = 8_000
SAMPLES = 4_000
SMALL = {"samples": SAMPLES, "sample_rate": RATE, "window": 256, "hop": 64, "bands": 64}


def chords(count):
    """Return decaying saws of a drawn pitch, with their harmonics at drawn places between left and right."""
    generator = torch.Generator().manual_seed(1)
    times = torch.arange(SAMPLES) / RATE
    clips = []
    for _ in range(count):
        root_hz = 110.0 * 2.0 ** float(torch.rand(1, generator=generator))
        numbers = torch.arange(1, int(0.4 * RATE / root_hz))[:, None]
        waves = torch.sin(2 * math.pi * root_hz * numbers * times) / numbers
        clips.append((torch.rand(len(numbers), 2, 1, generator=generator) * waves[:, None]).sum(0))
    return 0.25 * torch.stack(clips) * torch.exp(-3.0 * times)


def uniform(*shape):
    return torch.rand(3, *shape, generator=torch.Generator().manual_seed(0))


def misses_db(form, clips, picture):
    """Return how far the levels of clips lie from a picture, on average."""
    return float((form.encode(clips) - picture).abs().mean() * -form.floor_db)


def test_a_full_scale_sine_has_a_level_near_1_and_a_tenth_of_it_20_db_less():
    form = MelLevels(**SMALL)
    sine = torch.sin(2 * math.pi * 32 / 256 * torch.arange(SAMPLES)).expand(1, 2, -1)
    loud, quiet = (form.encode(gain * sine)[0, 0, :, 20].max() for gain in (1.0, 0.1))
    assert 0.9 < float(loud) <= 1.0
    assert float(loud - quiet) == pytest.approx(20.0 / 80.0, abs=1e-4)


def test_an_unchanged_picture_gives_its_source_back():
    form, clips = MelLevels(**SMALL), chords(3)
    back = form.decode_near(form.encode(clips), clips)
    ratio_db = 10 * torch.log10(clips.square().sum((1, 2)) / (clips - back).square().sum((1, 2)))
    assert float(ratio_db.min()) > 40.0


def test_a_changed_picture_is_met_better_from_the_sources_phase_than_from_a_random_one():
    form, clips = MelLevels(**SMALL), chords(3)
    wanted = (form.encode(clips) + torch.linspace(-0.1, 0.1, 64)[:, None]).clamp(0.0, 1.0)
    near, far = (form.decode_near(wanted, clips, start=start, uniform=uniform) for start in ("source", "random"))
    assert misses_db(form, near, wanted) < 0.7 * misses_db(form, far, wanted)


def test_sound_is_made_where_the_source_is_silent():
    form, clips = MelLevels(**SMALL), chords(3)
    wanted = form.encode(clips)
    made = form.decode_near(wanted, torch.zeros_like(clips))
    assert misses_db(form, made, wanted) < 3.0


def test_random_phases_are_not_made_up_where_there_is_nothing_to_draw_from():
    form, clips = MelLevels(**SMALL), chords(1)
    with pytest.raises(ValueError, match="need uniform"):
        form.decode_near(form.encode(clips), clips, start="random")


def test_silence_stays_silent_and_mono_mono():
    form, clips = MelLevels(**SMALL), chords(3)
    assert not form.decode_near(torch.zeros(3, *form.shape), clips).abs().max() > 1e-6
    mono = clips.mean(1, keepdim=True).expand(-1, 2, -1)
    made = form.decode_near(0.9 * form.encode(mono), mono)
    assert torch.equal(made[:, 0], made[:, 1])


@pytest.mark.parametrize("samples", [1, 63, 64, 1_000, 4_001])
def test_clips_of_any_length_come_back_at_their_length(samples):
    form = MelLevels(**SMALL | {"samples": samples})
    clips = 0.1 * torch.randn(2, 2, samples, generator=torch.Generator().manual_seed(0))
    picture = form.encode(clips)
    assert picture.shape == (2, *form.shape)
    assert 0.0 <= float(picture.min()) <= float(picture.max()) <= 1.0
    for made in (form.decode(picture, uniform), form.decode_near(picture, clips)):
        assert made.shape == clips.shape
        assert made.isfinite().all()
