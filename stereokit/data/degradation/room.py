"""A room: two loudspeakers, a pair of microphones before them, and what the walls give back."""

import numpy as np

from stereokit.data.degradation._form import Degradation, Facts, Samples, Value
from stereokit.data.degradation._image_sources import (
    SPEED_OF_SOUND,
    Microphone,
    arrivals,
    impulse_response,
    reflection_of,
)
from stereokit.data.fir import convolved

_LOWEST_M, _HIGHEST_M = (3.0, 2.8, 2.3), (7.0, 5.5, 3.2)
_DECAY_S = (0.15, 0.6)
_DISTANCE_M = (0.5, 1.8)
# Loudspeakers and microphones stay so far from the walls.
_CLEARANCE_M = 0.25
_SPEAKER_ANGLE = np.radians(30.0)
# A coincident pair of cardioids turned outwards, or two omnidirectional ones apart, as telephones have them.
_OPENING = np.radians(45.0)
_SPACING_M = (0.1, 0.2)
_CARDIOID = 0.5
# No loudspeaker gives less; and the images of rigid walls all add up at 0 Hz, which air in a room with a door does not.
_LOWEST_HZ = 20.0


def draw(random: np.random.Generator, value: float | None) -> Facts:
    """Draw a room, where in it the pair stands and looks, how far the loudspeakers are, and the kind of pair."""
    size = random.uniform(_LOWEST_M, _HIGHEST_M)
    decay = float(random.uniform(*_DECAY_S)) if value is None else value
    # So that the loudspeakers fit wherever the pair looks.
    reach = float(size[:2].min()) / 2.0 - _CLEARANCE_M
    distance = min(float(random.uniform(*_DISTANCE_M)), reach)
    margin = distance + _CLEARANCE_M
    place = [
        float(random.uniform(margin, side - margin)) if side > 2 * margin else float(side / 2) for side in size[:2]
    ]
    is_coincident = bool(random.integers(2))
    return {
        "size_m": [float(side) for side in size],
        "decay_s": decay,
        "reflection": reflection_of(size, decay),
        "pair_m": [*place, float(random.uniform(0.8, 1.6))],
        "heading_deg": float(random.uniform(0.0, 360.0)),
        "distance_m": distance,
        "directivity": _CARDIOID if is_coincident else 0.0,
        "spacing_m": 0.0 if is_coincident else float(random.uniform(*_SPACING_M)),
    }


def placed(facts: Facts) -> tuple[list[Samples], list[Microphone]]:
    """Return where the loudspeakers are (m), and the microphones, left before right.

    The pair looks between the loudspeakers, which stand 30 degrees to each side, so the way from each to its own
    microphone is equally long.
    """
    heading = np.radians(facts["heading_deg"])
    middle = np.array(facts["pair_m"])
    speakers, microphones = [], []
    for side in (1.0, -1.0):
        speakers.append(middle + facts["distance_m"] * _direction(heading + side * _SPEAKER_ANGLE))
        place = middle + 0.5 * facts["spacing_m"] * _direction(heading + side * np.pi / 2)
        microphones.append(Microphone(place, _direction(heading + side * _OPENING), facts["directivity"]))
    return speakers, microphones


def _direction(angle: float) -> Samples:
    return np.array([np.cos(angle), np.sin(angle), 0.0])


def responses(facts: Facts, sample_rate: int) -> Samples:
    """Return what each microphone (first axis) hears of each loudspeaker (second), shape (2, 2, n).

    Sample 0 is when the direct sound comes from a loudspeaker to its own microphone, and is 1 there (less what lies
    below 20 Hz): the way through the air delays nothing and costs no level. They last as long as the room's decay.
    """
    speakers, microphones = placed(facts)
    size = np.array(facts["size_m"])
    direct = float(np.linalg.norm(speakers[0] - microphones[0].place))
    farthest = direct + facts["decay_s"] * SPEED_OF_SOUND
    toward = (speakers[0] - microphones[0].place) / direct
    directivity = facts["directivity"]
    level = (1.0 - directivity + directivity * float(toward @ microphones[0].axis)) / direct
    frames = max(2, round(facts["decay_s"] * sample_rate))
    made = np.empty((2, 2, frames))
    for ear, microphone in enumerate(microphones):
        for number, speaker in enumerate(speakers):
            distances, amplitudes = arrivals(
                size, speaker, microphone, reflection=facts["reflection"], farthest=farthest
            )
            # Rounding may put the direct sound a hair before its time.
            delays = np.maximum((distances - direct) / SPEED_OF_SOUND * sample_rate, 0.0)
            made[ear, number] = impulse_response(delays, amplitudes / level, frames=frames)
    return _without_lowest(made, sample_rate)


def _without_lowest(heard: Samples, sample_rate: int) -> Samples:
    """Return the responses through a second-order high-pass (Butterworth), which delays nothing above its edge."""
    frames = heard.shape[-1]
    # Room for the filter to ring out, so that its end does not come in at the front.
    size = 1 << (frames + round(6.0 / _LOWEST_HZ * sample_rate)).bit_length()
    edge = np.arange(size // 2 + 1) * (1j * sample_rate / size / _LOWEST_HZ)
    passed = edge**2 / (1.0 + np.sqrt(2.0) * edge + edge**2)
    return np.asarray(np.fft.irfft(np.fft.rfft(heard, size) * passed, size)[..., :frames])


def in_room(samples: Samples, sample_rate: int, facts: Facts) -> Samples:
    """Return what the pair records; the room's last sound is cut at the end of the clip."""
    heard = responses(facts, sample_rate)
    return np.stack([convolved(samples[0], ear[0]) + convolved(samples[1], ear[1]) for ear in heard])


DEGRADATION = Degradation(
    "played in a room before a pair of microphones; the value is its decay by 60 dB",
    Value("s", 0.05, 1.5),
    can_vary=True,
    draw=draw,
    apply=in_room,
)
