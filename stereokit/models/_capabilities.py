"""What a trained model may be able to do, and sampling in blocks of one size.

A family names its capabilities in its ``config.py``; the names choose the commands that take it.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import torch

from stereokit import catalog
from stereokit.errors import UsageError
from stereokit.models._family import Capability, Family
from stereokit.representations._form import Representation
from stereokit.training.draw import Draw
from stereokit.training.trainer import Model, NonFiniteError


@runtime_checkable
class Sampler(Protocol):
    """Makes sounds from nothing but random numbers."""

    def sample(self, draw: Draw, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return new clips, float32 of shape (draw.count, 2, frames), full scale ±1, faded to zero at their end.

        Parameters
        ----------
        draw
            The only source of randomness. Its count is always the model's ``block_clips``: a layer may compute
            otherwise for another number of clips, and a clip must not depend on how many are asked for.
        condition
            What each clip should be: numbers of ``config.labels``, int64 (draw.count,); None where the configuration
            has no labels.
        """


@runtime_checkable
class Interpolator(Protocol):
    """Makes each sound of a vector, so that there are sounds between two.

    ``sample(draw, condition)`` of the same model is ``decode(latents(draw), draw, condition)``.
    """

    def latents(self, draw: Draw) -> torch.Tensor:
        """Return the vectors of random clips, float32 (draw.count, latent), standard normal, before any truncation.

        They are the draw's first call, so that ``decode`` finds it as ``sample`` does.
        """

    def decode(self, latents: torch.Tensor, draw: Draw, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return the clips of vectors, as ``Sampler.sample`` does.

        Parameters
        ----------
        latents
            float32 (draw.count, latent); their count is always the model's ``block_clips``.
        draw
            Of all other random numbers; items that have one number there get the same ones.
        condition
            As for ``sample``.
        """


@runtime_checkable
class Encoder(Protocol):
    """Finds the vectors that an ``Interpolator`` makes sounds of."""

    def encode(self, wave: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return the vectors of sounds, float32 (B, latent): the likeliest ones, nothing drawn.

        Parameters
        ----------
        wave
            float32 (B, 2, frames) at the model's sample rate, full scale ±1; B is always ``block_clips``.
        condition
            What each sound is, as for ``sample``.
        """


@runtime_checkable
class Critic(Protocol):
    """Judges how real sounds are."""

    def verdict(self, wave: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """Return a verdict on each sound, float32 (B,), higher for more real; only their order means anything.

        Parameters
        ----------
        wave
            float32 (B, 2, frames) at the model's sample rate, full scale ±1; B is always ``block_clips``: a verdict may
            depend on the other sounds, as with statistics over a batch.
        condition
            What each sound should be, as for ``sample``.
        """


@runtime_checkable
class Converter(Protocol):
    """Turns sounds into others: a transferred timbre, a restored recording."""

    def convert(self, wave: torch.Tensor) -> torch.Tensor:
        """Return float32 (B, 2, T), full scale ±1, of sounds of the same form at the model's sample rate; any T."""


@runtime_checkable
class Translator(Protocol):
    """Turns sounds of one label into sounds of another.

    Attributes
    ----------
    representation
        Pictures of clips, by which translations are compared.
    """

    representation: Representation

    def translate(self, wave: torch.Tensor, source: int, target: int) -> torch.Tensor:
        """Return sounds of another label, float32 of the shape of ``wave``.

        Parameters
        ----------
        wave
            float32 (B, 2, T) at the model's sample rate, full scale ±1; any T.
        source, target
            Numbers of ``config.labels``: what the sounds are, and what they should be.
        """


@runtime_checkable
class Labeller(Protocol):
    """Tells what sounds are."""

    def label(self, wave: torch.Tensor) -> torch.Tensor:
        """Return the probability of each of ``config.labels``, float32 (B, labels), each row with sum 1.

        Parameters
        ----------
        wave
            float32 (B, 2, T) at the model's sample rate, full scale ±1; any T.

        Raises
        ------
        BadInputError
            For a length of which it tells nothing.
        """

    def calibrate(self, temperature: float) -> None:
        """Divide logits by this from now on, and no more by what was given before; it is saved with the weights."""


@runtime_checkable
class Embedder(Protocol):
    """Places sounds in a space where near ones sound alike."""

    def embed(self, wave: torch.Tensor) -> torch.Tensor:
        """Return one vector a sound, float32 (B, width), of sounds (B, 2, T) at the model's sample rate; any T.

        Raises
        ------
        BadInputError
            For a length of which it makes no vector.
        """


PROTOCOLS: dict[Capability, type] = {
    "sampler": Sampler,
    "interpolator": Interpolator,
    "encoder": Encoder,
    "critic": Critic,
    "converter": Converter,
    "translator": Translator,
    "labeller": Labeller,
    "embedder": Embedder,
}


def require(family: Family, capability: Capability, command: str) -> None:
    """Refuse a family that a command cannot use.

    Raises
    ------
    UsageError
        Naming the families that can.
    """
    if capability in family.capabilities:
        return
    able = [name for name in catalog.names("family") if capability in catalog.load("family", name).capabilities]
    article = "an" if capability.startswith(("a", "e", "i", "o")) else "a"
    choice = ", ".join(able) or "(none yet)"
    raise UsageError(f"{command} needs {article} {capability}, and {family.name} is none: train one of {choice}")


def drawn_labels(config: Any, seed: int, numbers: Sequence[int]) -> torch.Tensor | None:
    """Return the label of each clip of a seed, drawn by how often the training data had it: int64 (len(numbers),).

    Parameters
    ----------
    config
        Of a model; without labels (or with none) there is nothing to draw: None.
    seed, numbers
        Of the clips; a clip's label depends on the seed and its own number.
    """
    if not getattr(config, "labels", ()):
        return None
    ends = torch.tensor(config.label_counts).cumsum(0)
    return torch.searchsorted(ends, Draw((seed, "condition"), numbers).integers(int(ends[-1])), right=True)


def block_ranges(size: int, first: int, count: int) -> Iterator[range]:
    """Yield the numbers of each block that holds some of the asked clips; blocks start at multiples of their size."""
    for start in range(first - first % size, first + count, size):
        yield range(start, start + size)


def checked_block(model: Model, clips: torch.Tensor) -> torch.Tensor:
    """Return a block that a model made as float32.

    Raises
    ------
    NonFiniteError
        When a sample is NaN or infinite: the weights are useless.
    """
    if clips.shape != (model.block_clips, 2, model.frames):
        raise TypeError(f"a block has {tuple(clips.shape)}, not {(model.block_clips, 2, model.frames)}")
    if not clips.isfinite().all():
        raise NonFiniteError("the model's clips hold NaN or infinity: its training went wrong")
    return clips.float()


def sample_blocks(
    model: Model,
    count: int,
    seed: int,
    *,
    first: int = 0,
    condition: torch.Tensor | None = None,
    device: torch.device | str = "cpu",
) -> Iterator[torch.Tensor]:
    """Yield new clips in blocks, float32 on the CPU of shape (up to ``block_clips``, 2, frames).

    Every block is computed in full and then cut, and starts at a multiple of ``block_clips``: clip n is the same
    whichever clips are asked for, with the same versions, device and number of threads.

    Parameters
    ----------
    model
        A ``Sampler``, in evaluation mode, on ``device``.
    count
        How many clips, at least 1.
    seed
        Of all of them; clip n depends on the seed and n (and its condition).
    first
        Number of the first clip.
    condition
        One entry a clip, first axis ``count``; what pads a block repeats the last one. Without it, a model with labels
        gets those of ``drawn_labels``.
    device
        Where the model is.

    Raises
    ------
    NonFiniteError
        When a sample is NaN or infinite: the weights are useless.
    """
    if not isinstance(model, Sampler):
        raise TypeError(f"{type(model).__module__} declares a sampler and has no method sample")
    for numbers in block_ranges(model.block_clips, first, count):
        if condition is None:
            wanted = drawn_labels(getattr(model, "config", None), seed, numbers)
        else:
            wanted = condition[torch.tensor(numbers).sub(first).clamp(0, count - 1)]
        with torch.no_grad():
            clips = model.sample(Draw((seed, "sample"), numbers, device), None if wanted is None else wanted.to(device))
        kept = slice(max(first - numbers.start, 0), first + count - numbers.start)
        yield checked_block(model, clips)[kept].cpu()
