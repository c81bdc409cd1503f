"""The endless stream of a data set: which clips make up a batch, in which order, and where they are kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import blake2b
from types import TracebackType
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from stereokit.audio.clip import Recording
from stereokit.data.corpus import Corpus, CorpusClip
from stereokit.data.memory import available_bytes
from stereokit.errors import BadInputError
from stereokit.training.stores import Foresight, InMemory, OnDevice, Place, Resident, SampleType, Store, Streamed, fill
from stereokit.training.turn import Batch

Kind = Literal["clips", "labelled", "pairs", "domains"]

# Of what is free. The model, its gradients and its pictures need the rest of a device; other programs, of the memory.
_DEVICE_SHARE, _MEMORY_SHARE = 0.25, 0.5
_AHEAD_BYTES = 256 << 20
_IN_ORDER_CLIPS, _IN_ORDER_BYTES = 64, 32 << 20


@dataclass(frozen=True)
class _Arrangement:
    """What a kind of feed makes of a corpus.

    Attributes
    ----------
    files
        All that is read; those of the items come first.
    groups
        Numbers of the items that take turns, each group in an order of its own.
    classes
        Class number by item; None without labels.
    targets
        File number of each item's target; None but for pairs.
    """

    files: Sequence[CorpusClip]
    groups: Sequence[NDArray[np.int64]]
    classes: Sequence[int] | None = None
    targets: Sequence[int] | None = None


class Feed:
    """Gives the batches of a training; the same for every rank, wherever the clips are kept.

    With several ranks it is made after they were launched, since they share the machine's memory.

    Parameters
    ----------
    corpus
        The training split.
    kind
        ``clips``: sounds alone. ``labelled``: with the number of their label in ``corpus.labels``. ``pairs``: with the
        clip that each should become. ``domains``: labelled, and item i belongs to label i % (how many there are), so
        that all labels come equally often.
    seed
        Of the order.
    device
        Where the batches go.
    memory_limit_bytes
        The most that the clips may take on the device or in memory; 0 reads them from disk each time. By default a
        quarter of the device's free memory, or half of what this process can get.

    Raises
    ------
    BadInputError
        When the kind asks for labels or targets that are not there, or a clip cannot be read.
    """

    def __init__(
        self,
        corpus: Corpus,
        kind: Kind,
        *,
        seed: int,
        device: torch.device | str = "cpu",
        memory_limit_bytes: int | None = None,
    ) -> None:
        self._device = torch.device(device)
        self._frames = corpus.frames
        arrangement = _ARRANGEMENTS[kind](corpus)
        self._groups, self._targets = arrangement.groups, arrangement.targets
        self._classes = None if arrangement.classes is None else torch.tensor(arrangement.classes)
        # The read-ahead looks into the next epoch, so each group keeps two orders.
        self._order = lru_cache(2 * len(self._groups) + 2)(partial(_order, seed))
        self._items = sum(map(len, self._groups))
        self._foresight = Foresight()
        self._store = _open_store(corpus, arrangement.files, self._device, memory_limit_bytes)

    def __len__(self) -> int:
        return self._items

    @property
    def place(self) -> Place:
        """Where the clips are kept."""
        return self._store.place

    def load(self, first: int, count: int) -> Batch:
        """Return ``count`` items of the endless stream from number ``first`` on.

        Each epoch, each group of clips comes whole, in an order that follows from the seed and the epoch alone.

        Raises
        ------
        BadInputError
            When a clip that is read from disk is gone or was changed.
        """
        items = self._numbers(first, count)
        expected = self._foresight.after(first, self._store.calls_ahead(count * self._files_an_item))
        upcoming = [file for begin in expected for file in self._files(self._numbers(begin, count))]
        clips = self._store.take(self._files(items), upcoming).to(self._device)
        labels = None if self._classes is None else self._classes[torch.tensor(items)].to(self._device)
        return Batch(clips[:count], labels, None if self._targets is None else clips[count:])

    def in_order(self) -> Iterator[torch.Tensor]:
        """Yield every item's clip once, in the order of the manifest: parts of shape (B, 2, T), float32 on the CPU."""
        size = max(1, min(_IN_ORDER_CLIPS, _IN_ORDER_BYTES // (2 * self._frames * 4)))
        parts = [range(start, min(start + size, self._items)) for start in range(0, self._items, size)]
        for part, following in zip(parts, [*parts[1:], ()], strict=True):
            yield self._store.take(part, following).cpu()

    @property
    def labels(self) -> torch.Tensor | None:
        """Class numbers of all items, int64 (N,) on the CPU, in the order of the manifest; None where it has none."""
        return self._classes

    @property
    def _files_an_item(self) -> int:
        return 1 if self._targets is None else 2

    def _numbers(self, first: int, count: int) -> list[int]:
        """Return which items the stream has at these places."""
        numbers = []
        for place in range(first, first + count):
            turn, number = divmod(place, len(self._groups))
            group = self._groups[number]
            epoch, index = divmod(turn, len(group))
            numbers.append(int(group[self._order(number, epoch, len(group))[index]]))
        return numbers

    def _files(self, items: Sequence[int]) -> list[int]:
        """Return the files of these items, and then those of their targets."""
        return [*items, *(self._targets[item] for item in items)] if self._targets is not None else [*items]

    def close(self) -> None:
        """Let go of threads and memory; ``load`` must not be called any more."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def check_corpus(corpus: Corpus, kind: Kind) -> None:
    """Refuse a corpus that a feed of this kind cannot be made of, before anything is read or kept.

    Raises
    ------
    BadInputError
        As ``Feed`` does for labels or targets that are not there.
    """
    _ARRANGEMENTS[kind](corpus)


def _order(seed: int, group: int, epoch: int, count: int) -> NDArray[np.int64]:
    """Return the order of a group in an epoch: where sorting random numbers puts its members."""
    key = blake2b(f"order\0{seed}\0{group}\0{epoch}".encode(), digest_size=16).digest()
    # Raw numbers and a stable sort stay the same whatever becomes of NumPy's own shuffling.
    return np.argsort(np.random.Philox(key=np.frombuffer(key, np.uint64)).random_raw(count), kind="stable")


def _clips(corpus: Corpus) -> _Arrangement:
    return _Arrangement(corpus.clips, [np.arange(len(corpus))])


def _labelled(corpus: Corpus) -> _Arrangement:
    return _Arrangement(corpus.clips, [np.arange(len(corpus))], _classes(corpus, "class", "classes"))


def _domains(corpus: Corpus) -> _Arrangement:
    classes = _classes(corpus, "domain", "domains")
    members = [np.flatnonzero(np.array(classes) == number) for number in range(len(corpus.labels))]
    return _Arrangement(corpus.clips, members, classes)


def _pairs(corpus: Corpus) -> _Arrangement:
    pairs = dict(corpus.pairs())
    if not pairs:
        raise BadInputError(f"{corpus.folder}: split {corpus.split} has no pairs: every clip is the target of another")
    files = list(dict.fromkeys((*pairs, *pairs.values())))
    numbers = {clip: number for number, clip in enumerate(files)}
    return _Arrangement(files, [np.arange(len(pairs))], targets=[numbers[target] for target in pairs.values()])


def _classes(corpus: Corpus, one: str, several: str) -> list[int]:
    """Return each clip's class number."""
    numbers = {label: number for number, label in enumerate(corpus.labels)}
    where = f"{corpus.folder}: split {corpus.split}"
    if without := [clip.file_name for clip in corpus.clips if clip.label is None]:
        raise BadInputError(
            f"{where} has {len(without)} clips without a label (first: {without[0]}): prep with --labels, or use --only"
        )
    if len(numbers) < 2:
        raise BadInputError(f"{where} has one {one}, {corpus.labels[0]!r}: training on {several} needs two or more")
    return [numbers[clip.label] for clip in corpus.clips if clip.label is not None]


_ARRANGEMENTS: dict[Kind, Callable[[Corpus], _Arrangement]] = {
    "clips": _clips,
    "labelled": _labelled,
    "pairs": _pairs,
    "domains": _domains,
}


def _open_store(
    corpus: Corpus, files: Sequence[CorpusClip], device: torch.device, memory_limit_bytes: int | None
) -> Store:
    """Keep the clips as near to the device as they fit: exact 16 bit where all files have no more, else float32."""

    def read(number: int) -> Recording:
        return corpus.recording(files[number])

    memory = _memory_bytes() if memory_limit_bytes is None else memory_limit_bytes
    on_device = _device_bytes(device) if memory_limit_bytes is None else memory_limit_bytes
    count, frames = len(files), corpus.frames
    types: tuple[SampleType, ...] = ("int16", "float32")
    for dtype in types:
        size = count * 2 * frames * np.dtype(dtype).itemsize
        store: Resident
        if device.type == "cuda" and size <= on_device:
            store = OnDevice(count, frames=frames, dtype=dtype, device=device)
        elif size <= memory:
            store = InMemory(count, frames=frames, dtype=dtype)
        else:
            break
        if fill(store, read, count, frames=frames, dtype=dtype):
            return store
    return Streamed(read, frames=frames, ahead_bytes=min(_AHEAD_BYTES, memory))


def _memory_bytes() -> int:
    launched = torch.distributed.is_available() and torch.distributed.is_initialized()
    processes = torch.distributed.get_world_size() if launched else 1
    return int(available_bytes() * _MEMORY_SHARE) // processes


def _device_bytes(device: torch.device) -> int:
    return int(torch.cuda.mem_get_info(device)[0] * _DEVICE_SHARE) if device.type == "cuda" else 0
