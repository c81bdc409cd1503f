"""A recording with a telephone in a room: the whole chain from the air to the file."""

from stereokit.data.degradation._form import Chain

DEGRADATION = Chain(
    "recorded by a telephone in a room: room, microphone, distort, noise, quantise:12",
    ("room", "microphone", "distort", "noise", "quantise:12"),
)
