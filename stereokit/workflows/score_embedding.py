"""``stereokit score --embedding``: clips as a trained model places them. Only this part of ``score`` needs torch."""

from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from stereokit.audio.clip import Clip
from stereokit.audio.files import read
from stereokit.audio.resample import resample, resampled_frames
from stereokit.data.sources import Refusal, Source
from stereokit.errors import BadInputError
from stereokit.metrics.embedding import EmbeddingProtocol
from stereokit.metrics.measure import Measurement
from stereokit.models._capabilities import Embedder, require
from stereokit.models._run import load_run, read_config
from stereokit.training.device import available_threads
from stereokit.workflows.events import Progress
from stereokit.workflows.score_sets import ScoredSet

# On an accelerator many short clips go at once, and one long one. On a processor one at a time is as fast (4.3 ms a
# clip of 0.6 s through a small convolutional net, 5.9 ms in batches of 32).
_CLIPS_AT_ONCE, _FRAMES_AT_ONCE = 32, 1 << 21
_PROGRESS_STEP = 50

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class SetEmbedder:
    """A model that gives each clip a vector.

    Attributes
    ----------
    model
        In evaluation mode, on the device of the protocol.
    protocol
        What is measured, and which model it is.
    """

    model: Embedder
    protocol: EmbeddingProtocol

    def embedded(self, scored: ScoredSet) -> Generator[Progress, None, ScoredSet]:
        """Return a measured set with the model's vectors for sequences; clips that have none are refused by name.

        A vector depends on its clip alone: a batch has clips of one length, always as many of them, and no zeros are
        added. A batch of sounds is in memory at a time.
        """
        clips: list[tuple[Source, Measurement] | None] = list(scored.clips)
        refused: list[Refusal] = []
        done = 0
        for places, frames in self._batches(scored.clips):
            results = self._vectors([scored.clips[place] for place in places], frames)
            for place, result in zip(places, results, strict=True):
                source, measurement = scored.clips[place]
                if isinstance(result, BadInputError):
                    refused.append(Refusal(str(source.path), str(result)))
                    clips[place] = None
                else:
                    clips[place] = source, replace(measurement, sequence=result[None])
                done += 1
                if done % _PROGRESS_STEP == 0 or done == len(clips):
                    yield Progress(f"embedding {scored.name}", done, len(clips))
        refused.sort(key=lambda one: one.path)
        return replace(scored, clips=[clip for clip in clips if clip is not None], refused=[*scored.refused, *refused])

    def _batches(self, clips: Sequence[tuple[Source, Measurement]]) -> Iterator[tuple[list[int], int]]:
        """Yield which clips go together, and their length in samples at the model's rate."""
        by_length: dict[int, list[int]] = defaultdict(list)
        for place, (_, clip) in enumerate(clips):
            judged = self.protocol.judged_frames(clip.sample_rate) or clip.frames
            by_length[resampled_frames(judged, clip.sample_rate, self.protocol.model_rate)].append(place)
        for frames, places in by_length.items():
            size = self._batch_size(frames)
            for first in range(0, len(places), size):
                yield places[first : first + size], frames

    def _batch_size(self, frames: int) -> int:
        if self.protocol.device == "cpu":
            return 1
        return max(1, min(_CLIPS_AT_ONCE, _FRAMES_AT_ONCE // frames))

    def _vectors(self, clips: Sequence[tuple[Source, Measurement]], frames: int) -> list[Vector | BadInputError]:
        """Return a vector a clip, or why it has none."""
        results: list[Vector | BadInputError | None] = [None] * len(clips)
        waves = {}
        for place, (source, _) in enumerate(clips):
            try:
                waves[place] = self._wave(str(source.path), frames)
            except BadInputError as error:
                results[place] = error
        if waves:
            found = self._embed(np.stack(list(waves.values())), self._batch_size(frames))
            for row, place in enumerate(waves):
                results[place] = found if isinstance(found, BadInputError) else _checked(found[row])
        return [result for result in results if result is not None]

    def _wave(self, path: str, frames: int) -> NDArray[np.float32]:
        """Read the judged part of a clip at the model's rate, shape (2, frames)."""
        clip = read(path).to_clip()
        judged = self.protocol.judged_frames(clip.sample_rate)
        if judged is not None:
            samples = np.zeros((2, judged), np.float32)
            kept = min(judged, clip.frames)
            samples[:, :kept] = clip.samples[:, :kept]
            clip = Clip(samples, clip.sample_rate)
        samples = resample(clip, self.protocol.model_rate).samples
        if samples.shape[1] != frames:
            raise BadInputError("has changed while it was scored")
        return samples

    def _embed(self, waves: NDArray[np.float32], size: int) -> Vector | BadInputError:
        """Return vectors, shape (clips, width), or why the model has none for sounds of this length."""
        # What pads a batch repeats the last clip: another size may be computed otherwise.
        order = np.minimum(np.arange(size), len(waves) - 1)
        try:
            vectors = embed(self.model, torch.from_numpy(waves[order]).to(self.protocol.device))
        except BadInputError as error:
            return error
        return vectors[: len(waves)]


def _checked(vector: Vector) -> Vector | BadInputError:
    return vector if np.isfinite(vector).all() else BadInputError("the model's embedding of it holds NaN or infinity")


def embed(model: Embedder, waves: torch.Tensor) -> Vector:
    """Return a model's vectors of sounds (B, 2, T), float64 of shape (B, width)."""
    with torch.no_grad():
        vectors = model.embed(waves)
    if vectors.ndim != 2 or len(vectors) != len(waves):
        raise TypeError(f"embed made {tuple(vectors.shape)} of {tuple(waves.shape)}, not (B, width)")
    return np.asarray(vectors.double().cpu().numpy())


def load_embedder(folder: Path, protocol: EmbeddingProtocol, device: str) -> SetEmbedder:
    """Return the model of a run as what makes vectors.

    Parameters
    ----------
    folder
        Of the run.
    protocol
        What is measured; the model is put into it.
    device
        Where the model computes.

    Raises
    ------
    UsageError
        When its family is no embedder.
    BadInputError
        When the run cannot be read.
    """
    require(read_config(folder).family, "embedder", "score --embedding")
    run = load_run(folder)
    torch.set_num_threads(available_threads())
    model = run.model.to(device)
    if not isinstance(model, Embedder):
        raise TypeError(f"{type(model).__module__} declares an embedder and has no method embed")
    # A clip of the model's own length shows how many values a vector has.
    width = embed(model, torch.zeros(1, 2, run.model.frames, device=device)).shape[1]
    known = replace(
        protocol,
        run=run.fingerprint,
        family=run.family.name,
        preset=run.preset,
        width=width,
        model_rate=run.model.sample_rate,
        device=device,
    )
    return SetEmbedder(model, known)
