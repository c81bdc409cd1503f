"""Rooms by mirror images: against images found one by one, and against what physics says of level, time and decay."""

from itertools import product

import numpy as np
import pytest

from stereokit.data.degradation._image_sources import (
    SPEED_OF_SOUND,
    Microphone,
    arrivals,
    impulse_response,
    reflection_of,
)
from stereokit.data.degradation.room import draw, placed, responses

RATE = 16_000
SIZE = np.array([4.03, 3.11, 2.57])
SOURCE = np.array([1.03, 0.71, 1.37])
EAR = np.array([2.91, 2.23, 1.12])
ALL_AROUND = Microphone(EAR, np.array([1.0, 0.0, 0.0]), 0.0)


def mirrored(farthest: float) -> dict[tuple[float, ...], int]:
    """Find images by mirroring the source again and again in the six walls; the least reflections to each place."""
    found = {tuple(np.round(SOURCE, 6)): 0}
    latest = dict(found)
    while latest:
        following = {}
        for place, count in latest.items():
            for axis, wall in product(range(3), (0, 1)):
                image = list(place)
                image[axis] = round(2.0 * wall * SIZE[axis] - place[axis], 6)
                # beyond the farthest there is nothing that comes back
                if np.linalg.norm(np.array(image) - EAR) <= farthest + 2 * SIZE.max() and tuple(image) not in found:
                    found[tuple(image)] = following[tuple(image)] = count + 1
        latest = following
    return {place: count for place, count in found.items() if np.linalg.norm(np.array(place) - EAR) <= farthest}


def test_the_images_are_those_that_mirroring_wall_by_wall_finds():
    farthest, reflection = 13.0, 0.8
    images = mirrored(farthest)
    distances, amplitudes = arrivals(SIZE, SOURCE, ALL_AROUND, reflection=reflection, farthest=farthest)
    expected = sorted(
        (np.linalg.norm(np.array(place) - EAR), reflection**count / np.linalg.norm(np.array(place) - EAR))
        for place, count in images.items()
    )
    assert len(expected) > 250
    order = np.argsort(distances)
    np.testing.assert_allclose(np.stack([distances, amplitudes], axis=1)[order], expected, atol=1e-5)


def test_a_response_is_the_sum_of_an_interpolated_pulse_for_each_image():
    farthest, reflection, frames = 13.0, 0.8, 640
    plain = np.zeros(frames + 200)
    for place, count in mirrored(farthest).items():
        distance = np.linalg.norm(np.array(place) - EAR)
        offsets = np.arange(frames + 200) - 100 - distance / SPEED_OF_SOUND * RATE
        window = np.where(np.abs(offsets) < 25, np.cos(np.pi * offsets / 50) ** 2, 0.0)
        plain += reflection**count / distance * np.sinc(offsets) * window
    distances, amplitudes = arrivals(SIZE, SOURCE, ALL_AROUND, reflection=reflection, farthest=farthest)
    made = impulse_response(distances / SPEED_OF_SOUND * RATE, amplitudes, frames=frames)
    assert np.abs(made - plain[100:-100]).max() < 0.01 * np.abs(plain).max()
    # over the band that a recording uses the error is far less
    low = np.fft.rfft(made - plain[100:-100])[: int(0.7 * frames / 2)]
    assert np.linalg.norm(low) < 1e-3 * np.linalg.norm(np.fft.rfft(made)[: int(0.7 * frames / 2)])


@pytest.mark.parametrize("distance", [0.5, 1.0, 2.0])
def test_without_walls_the_level_falls_with_the_distance_and_sound_takes_its_time(distance: float):
    room = np.full(3, 1000.0)
    source = np.full(3, 500.0)
    microphone = Microphone(source + np.array([distance, 0.0, 0.0]), np.array([1.0, 0.0, 0.0]), 0.0)
    distances, amplitudes = arrivals(room, source, microphone, reflection=0.9, farthest=20.0)
    assert distances.tolist() == [pytest.approx(distance)]
    assert amplitudes.tolist() == [pytest.approx(1 / distance)]
    made = impulse_response(distances / SPEED_OF_SOUND * RATE, amplitudes, frames=400)
    phase = np.angle(np.fft.rfft(made)[20] * np.exp(2j * np.pi * 20 / 400 * distance / SPEED_OF_SOUND * RATE))
    assert phase == pytest.approx(0.0, abs=1e-3)


def test_each_wall_takes_its_share():
    source, ear = np.array([2.0, 1.5, 1.2]), np.array([2.0, 1.5, 1.3])
    microphone = Microphone(ear, np.array([0.0, 0.0, 1.0]), 0.0)
    soft, hard = (arrivals(SIZE, source, microphone, reflection=one, farthest=9.0) for one in (0.3, 0.6))
    np.testing.assert_array_equal(soft[0], hard[0])
    counts = np.log(soft[1] / hard[1]) / np.log(0.5)
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    assert counts.min() == pytest.approx(0.0)
    # floor and ceiling are the nearest: one reflection each
    assert sorted(np.rint(counts[np.argsort(soft[0])][:3])) == [0, 1, 1]


@pytest.mark.parametrize(("angle", "gain"), [(0.0, 1.0), (60.0, 0.75), (90.0, 0.5), (180.0, 0.0)])
def test_a_cardioid_hears_in_front_half_at_the_side_and_nothing_behind(angle: float, gain: float):
    axis = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.0])
    microphone = Microphone(np.array([500.0, 500.0, 500.0]), axis, 0.5)
    room, source = np.full(3, 1000.0), np.array([502.0, 500.0, 500.0])
    _, amplitudes = arrivals(room, source, microphone, reflection=0.9, farthest=20.0)
    assert amplitudes.tolist() == [pytest.approx(gain / 2.0, abs=1e-12)]


@pytest.mark.parametrize("size", [(3.0, 2.8, 2.3), (7.0, 5.5, 3.2), (6.0, 3.0, 2.4)])
@pytest.mark.parametrize("decay", [0.2, 0.3])
def test_a_room_decays_in_the_time_that_was_asked_for(size, decay: float):
    room = np.array(size)
    microphone = Microphone(room * [0.61, 0.37, 0.48], np.array([1.0, 0.0, 0.0]), 0.0)
    distances, amplitudes = arrivals(
        room, room * [0.31, 0.67, 0.55], microphone,
        reflection=reflection_of(room, decay), farthest=1.5 * decay * SPEED_OF_SOUND,
    )  # fmt: skip
    order = np.argsort(distances)
    late = distances[order] > 1.01 * distances.min()
    left = np.cumsum((amplitudes[order][late] ** 2)[::-1])[::-1]
    levels = 10 * np.log10(left / left[0])
    times = distances[order][late] / SPEED_OF_SOUND
    found = 2 * (times[np.argmax(levels < -35)] - times[np.argmax(levels < -5)])
    assert found == pytest.approx(decay, rel=0.07)


@pytest.fixture(scope="module")
def rooms():
    random = np.random.default_rng(1)
    drawn = [draw(random, 0.15) for _ in range(12)]
    assert {facts["directivity"] for facts in drawn} == {0.0, 0.5}
    return drawn


class TestThePairBeforeTwoLoudspeakers:
    def test_everything_stands_inside_the_room(self, rooms):
        random = np.random.default_rng(2)
        for facts in rooms + [draw(random, None) for _ in range(100)]:
            speakers, microphones = placed(facts)
            for place in [*speakers, *(microphone.place for microphone in microphones)]:
                assert np.all(place > 0.1)
                assert np.all(place < np.array(facts["size_m"]) - 0.1)

    def test_direct_sound_comes_at_once_at_full_level_from_the_own_side_and_later_or_softer_from_the_other(self, rooms):
        for facts in rooms:
            heard = responses(facts, RATE)
            for ear in (0, 1):
                own, other = heard[ear, ear], heard[ear, 1 - ear]
                assert own[0] == pytest.approx(1.0, abs=0.02)
                assert np.abs(own).argmax() == 0
                # 30 degrees to each side of the middle, heard at 45 to the side: 15 degrees off here, 75 off there
                ratio = (1 + np.cos(np.radians(75))) / (1 + np.cos(np.radians(15)))
                if facts["spacing_m"] == 0.0:
                    assert other[0] == pytest.approx(ratio, abs=0.02)
                else:
                    speakers, microphones = placed(facts)
                    near, far = (np.linalg.norm(speakers[n] - microphones[ear].place) for n in (ear, 1 - ear))
                    first = int(np.abs(other[:40]).argmax())
                    assert first == pytest.approx((far - near) / SPEED_OF_SOUND * RATE, abs=1)

    def test_nothing_heaps_up_at_zero_hertz(self, rooms):
        for facts in rooms:
            spectrum = np.abs(np.fft.rfft(responses(facts, RATE)[0, 0], 1 << 16))
            hertz = np.arange(spectrum.size) * RATE / (1 << 16)
            assert spectrum[hertz < 5].max() < np.sqrt(np.mean(spectrum[hertz > 500] ** 2))
