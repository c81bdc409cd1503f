"""A trained model's words about many clips. Only this part of ``stereokit label`` needs torch."""

from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from stereokit.data.isolation import map_isolated
from stereokit.data.memory import keep_freed_memory
from stereokit.data.sources import Source
from stereokit.errors import BadInputError
from stereokit.models._capabilities import Embedder, Labeller, require
from stereokit.models._family import Capability
from stereokit.models._run import Run, load_run, read_config
from stereokit.training.device import available_threads, choose_device
from stereokit.workflows.events import Progress
from stereokit.workflows.label_examine import examine

_CLIPS_AT_ONCE = 32
_CHUNK_CLIPS = 4
_PROGRESS_STEP = 50

Values = NDArray[np.float64]
Waves = NDArray[np.float32]


class ClipModel:
    """A run's model as what tells something of clips.

    Parameters
    ----------
    folder
        Of the run.
    capability
        ``labeller``: it tells probabilities, ``embedder``: places.
    command
        That asks.
    device
        Where it computes: auto, cpu, cuda or mps.

    Raises
    ------
    UsageError
        When its family cannot.
    BadInputError
        When the run cannot be read.
    MissingError
        When the device is not there.
    """

    def __init__(self, folder: Path, capability: Capability, command: str, device: str) -> None:
        require(read_config(folder).family, capability, command)
        keep_freed_memory()
        self.run: Run = load_run(folder)
        torch.set_num_threads(available_threads())
        self._device = choose_device(device)
        model = self.run.model.to(self._device)
        if capability == "labeller":
            if not isinstance(model, Labeller):
                raise TypeError(f"{type(model).__module__} declares a labeller and has no method label")
            self._tell: Callable[[torch.Tensor], torch.Tensor] = model.label
        else:
            if not isinstance(model, Embedder):
                raise TypeError(f"{type(model).__module__} declares an embedder and has no method embed")
            self._tell = model.embed
        # A model that says how it cuts and pads can take clips of any length together.
        self._fitted: Callable[[torch.Tensor], torch.Tensor] | None = getattr(model, "fitted", None)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes it tells, in their order."""
        labels: tuple[str, ...] = tuple(self.run.config.labels)
        return labels

    def tell(
        self, sources: Sequence[Source], *, jobs: int
    ) -> Generator[Progress | list[tuple[int, Values | BadInputError | None]], None, None]:
        """Read clips in other processes and yield lists of (number, what is told of the clip), not in order.

        None is what is told of silence; an error says why nothing is told.
        """
        work = partial(examine, rate=self.run.model.sample_rate)
        paths = [str(source.path) for source in sources]
        waiting: dict[int, list[tuple[int, torch.Tensor]]] = {}
        for number, result in enumerate(map_isolated(work, paths, jobs=jobs, chunk=_CHUNK_CLIPS)):
            if isinstance(result, BadInputError):
                yield [(number, result)]
            elif result.is_silent or result.wave is None:
                yield [(number, None)]
            else:
                wave = self._one(result.wave)
                if isinstance(wave, BadInputError):
                    yield [(number, wave)]
                else:
                    batch = waiting.setdefault(wave.shape[-1], [])
                    batch.append((number, wave))
                    if len(batch) == self._size:
                        yield self._told(waiting.pop(wave.shape[-1]))
            if (number + 1) % _PROGRESS_STEP == 0 or number + 1 == len(paths):
                yield Progress("asking the model", number + 1, len(paths))
        for batch in waiting.values():
            yield self._told(batch)

    @property
    def _size(self) -> int:
        """Clips of a batch; one length follows another where a model does not say how it cuts and pads."""
        return _CLIPS_AT_ONCE if self._fitted is not None else 1

    def _one(self, samples: Waves) -> torch.Tensor | BadInputError:
        wave = torch.from_numpy(samples)[None]
        try:
            return wave if self._fitted is None else self._fitted(wave)
        except BadInputError as error:
            return error

    def _told(self, batch: Sequence[tuple[int, torch.Tensor]]) -> list[tuple[int, Values | BadInputError | None]]:
        # A batch has always as many clips: a layer may compute otherwise for another number.
        waves = [wave for _, wave in batch]
        waves += [waves[-1]] * (self._size - len(waves))
        try:
            with torch.no_grad():
                values = self._tell(torch.cat(waves).to(self._device))
        except BadInputError as error:
            return [(number, error) for number, _ in batch]
        rows = values.double().cpu().numpy()[: len(batch)]
        return [(number, _checked(row)) for (number, _), row in zip(batch, rows, strict=True)]


def _checked(row: Values) -> Values | BadInputError:
    return row if np.isfinite(row).all() else BadInputError("what the model tells of it holds NaN or infinity")


def everything(
    model: ClipModel, sources: Sequence[Source], *, jobs: int
) -> Generator[Progress, None, list[Values | BadInputError | None]]:
    """Return what a model tells of each clip, in their order."""
    results: list[Values | BadInputError | None] = [None] * len(sources)
    for event in model.tell(sources, jobs=jobs):
        if isinstance(event, Progress):
            yield event
        else:
            for number, result in event:
                results[number] = result
    return results
