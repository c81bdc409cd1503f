"""The stream of training batches: each clip once an epoch, the same wherever the clips are kept."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from stereokit.audio.clip import Recording
from stereokit.audio.files import read
from stereokit.data.corpus import Corpus, open_corpus
from stereokit.errors import BadInputError
from stereokit.training import feed as feed_module
from stereokit.training.feed import Feed
from stereokit.training.stores import Foresight, InMemory, OnDevice, Streamed, fill

DataSet = Callable[..., Path]
LIMITS = {"memory": None, "stream": 0}


def opened(folder: Path, *, frames: int = 8) -> Corpus:
    return open_corpus(folder, "train", sample_rate=8_000, frames=frames)


@pytest.fixture(params=LIMITS)
def place(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def make() -> Iterator[Callable[..., Feed]]:
    feeds = []

    def make(folder: Path, kind: str = "clips", *, seed: int = 0, place: str = "memory") -> Feed:
        feeds.append(Feed(opened(folder), kind, seed=seed, memory_limit_bytes=LIMITS[place]))
        assert feeds[-1].place == place
        return feeds[-1]

    yield make
    for feed in feeds:
        feed.close()


def which(clips: torch.Tensor) -> list[int]:
    """Return the numbers of the clips, which their samples tell."""
    assert torch.equal(clips[:, 0], -clips[:, 1])
    assert (clips == clips[:, :, :1]).all()
    return [round(float(value) * 32768) - 1 for value in clips[:, 0, 0]]


@pytest.mark.parametrize("batch", [1, 4, 7, 40])
def test_each_epoch_is_every_clip_once_in_another_order(data_set: DataSet, make, place: str, batch: int) -> None:
    feed = make(data_set(7), place=place)
    stream = [number for first in range(0, 280, batch) for number in which(feed.load(first, batch).clips)][:280]
    epochs = [tuple(stream[start : start + 7]) for start in range(0, 280, 7)]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert len(set(epochs)) > 35


def test_what_comes_does_not_depend_on_what_was_asked_before(data_set: DataSet, make, place: str) -> None:
    folder = data_set(5)
    whole = which(make(folder).load(0, 100).clips)
    feed = make(folder, place=place)
    for first, count in [(90, 10), (3, 1), (3, 1), (40, 8), (44, 8), (48, 8), (52, 8), (0, 3), (17, 30)]:
        assert which(feed.load(first, count).clips) == whole[first : first + count]


def test_the_order_follows_from_the_seed_and_the_epoch_alone(data_set: DataSet, make) -> None:
    folder = data_set(20)
    first, again, other = (which(make(folder, seed=seed).load(0, 60).clips) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    # Known from its definition: sorting Philox numbers, whose key is BLAKE2b of these words.
    assert which(make(data_set(5), seed=0).load(0, 5).clips) == [1, 2, 3, 4, 0]


def test_the_stream_gives_the_same_bytes_as_memory(data_set: DataSet) -> None:
    folder = data_set(6)
    random = np.random.default_rng(0)
    for subtype in ("PCM_16", "PCM_24", "FLOAT", "PCM_U8"):
        for path in sorted((folder / "train").iterdir()):
            soundfile.write(path, random.uniform(-1, 1, (8, 2)), 8_000, subtype)
        corpus = opened(folder)
        expected = torch.stack([torch.from_numpy(corpus.read(number)) for number in range(6)])
        with (
            Feed(corpus, "clips", seed=0) as kept,
            Feed(corpus, "clips", seed=0, memory_limit_bytes=0) as streamed,
        ):
            for first in range(0, 24, 4):
                one, other = kept.load(first, 4).clips, streamed.load(first, 4).clips
                assert one.dtype == other.dtype == torch.float32
                assert torch.equal(one, other)
            for feed in (kept, streamed):
                assert torch.equal(torch.cat(list(feed.in_order())), expected)


def test_clips_of_16_bit_take_half_the_memory_and_one_of_24_takes_it_all(data_set: DataSet) -> None:
    folder = data_set(10)
    bytes_of_16_bit = 10 * 2 * 8 * 2
    with Feed(opened(folder), "clips", seed=0, memory_limit_bytes=bytes_of_16_bit) as feed:
        assert feed.place == "memory"
    with Feed(opened(folder), "clips", seed=0, memory_limit_bytes=bytes_of_16_bit - 1) as feed:
        assert feed.place == "stream"
    soundfile.write(folder / "train/9.wav", np.full((8, 2), [10 / 32768, -10 / 32768]), 8_000, "PCM_24")
    for limit, place in ((bytes_of_16_bit, "stream"), (2 * bytes_of_16_bit, "memory")):
        with Feed(opened(folder), "clips", seed=0, memory_limit_bytes=limit) as feed:
            assert feed.place == place
            assert sorted(which(feed.load(0, 10).clips)) == list(range(10))


def test_half_of_the_memory_that_is_left_may_be_taken(data_set: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = data_set(10)
    for available, place in ((2 * 320, "memory"), (2 * 320 - 2, "stream")):
        monkeypatch.setattr(feed_module, "available_bytes", lambda available=available: available)
        with Feed(opened(folder), "clips", seed=0) as feed:
            assert feed.place == place


def test_ranks_share_the_memory_of_their_machine(data_set: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = data_set(10)
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 3)
    for available, place in ((6 * 320, "memory"), (6 * 320 - 6, "stream")):
        monkeypatch.setattr(feed_module, "available_bytes", lambda available=available: available)
        with Feed(opened(folder), "clips", seed=0) as feed:
            assert feed.place == place


def test_a_large_set_is_loaded_block_by_block(data_set: DataSet, monkeypatch: pytest.MonkeyPatch, make) -> None:
    monkeypatch.setattr("stereokit.training.stores._BLOCK_BYTES", 1)
    monkeypatch.setattr("stereokit.training.stores._THREADS", 3)
    feed = make(data_set(10))
    assert [number for part in feed.in_order() for number in which(part)] == list(range(10))


def test_in_order_goes_once_through_the_clips_in_parts(data_set: DataSet, make, place: str) -> None:
    feed = make(data_set(150), place=place)
    parts = list(feed.in_order())
    assert [len(part) for part in parts] == [64, 64, 22]
    assert which(torch.cat(parts)) == list(range(150))


def test_three_clips_are_enough_for_any_batch(data_set: DataSet, make, place: str) -> None:
    feed = make(data_set(3), place=place)
    for first in (0, 32, 64):
        batch = feed.load(first, 32)
        assert batch.clips.shape == (32, 2, 8)
        assert max(Counter(which(batch.clips)).values()) <= 12


def test_clips_alone_have_neither_labels_nor_targets(data_set: DataSet, make) -> None:
    batch = make(data_set(3, label=["a", None])).load(0, 3)
    assert batch.labels is None
    assert batch.targets is None


def test_labelled_clips_come_with_the_number_of_their_label(data_set: DataSet, make, place: str) -> None:
    feed = make(data_set(9, label=["snare", "kick", "hat"]), "labelled", place=place)
    batch = feed.load(0, 27)
    assert batch.labels.dtype == torch.int64
    assert batch.labels.tolist() == [(2, 1, 0)[number % 3] for number in which(batch.clips)]


def test_a_clip_without_a_label_is_named(data_set: DataSet, make) -> None:
    folder = data_set(4, label=["a", None, "b", ""])
    for kind in ("labelled", "domains"):
        with pytest.raises(BadInputError, match=r"train has 2 clips without a label \(first: train/1\.wav\)"):
            make(folder, kind)


def test_one_class_is_too_few_to_tell_apart(data_set: DataSet, make) -> None:
    folder = data_set(4, label=["kick"])
    with pytest.raises(BadInputError, match="has one class, 'kick': training on classes needs two or more"):
        make(folder, "labelled")
    with pytest.raises(BadInputError, match="has one domain, 'kick': training on domains needs two or more"):
        make(folder, "domains")


def test_domains_come_equally_often_however_many_clips_they_have(data_set: DataSet, make, place: str) -> None:
    feed = make(data_set(10, label=["a", "a", "a", "b", "c"]), "domains", place=place)
    batches = [feed.load(first, 6) for first in range(0, 180, 6)]
    labels = [label for batch in batches for label in batch.labels.tolist()]
    assert labels == [0, 1, 2] * 60
    numbers = [number for batch in batches for number in which(batch.clips)]
    members = {0: [0, 1, 2, 5, 6, 7], 1: [3, 8], 2: [4, 9]}
    for domain, expected in members.items():
        own = numbers[domain::3]
        size = len(expected)
        assert all(sorted(own[start : start + size]) == expected for start in range(0, 60, size))


def test_pairs_stay_together(data_set: DataSet, make, place: str) -> None:
    targets = ["train/5.wav", "train/4.wav", "train/5.wav", None, None, None, "train/3.wav"]
    feed = make(data_set(7, target=targets), "pairs", place=place)
    assert len(feed) == 4
    pairs: Counter[tuple[int, int]] = Counter()
    for first in range(0, 40, 5):
        batch = feed.load(first, 5)
        pairs.update(zip(which(batch.clips), which(batch.targets), strict=True))
    assert pairs == {(0, 5): 10, (1, 4): 10, (2, 5): 10, (6, 3): 10}
    assert which(torch.cat(list(feed.in_order()))) == [0, 1, 2, 6]


def test_clips_that_only_aim_at_each_other_are_no_pairs(data_set: DataSet, make) -> None:
    with pytest.raises(BadInputError, match="has no pairs"):
        make(data_set(2, target=["train/1.wav", "train/0.wav"]), "pairs")


def test_a_clip_deleted_since_prep_stops_it_with_its_name(data_set: DataSet) -> None:
    folder = data_set(40)
    corpus = opened(folder)
    with Feed(corpus, "clips", seed=0, memory_limit_bytes=0) as feed:
        (folder / "train/17.wav").unlink()
        with pytest.raises(BadInputError, match=r"train/17\.wav: cannot be read"):
            list(map(feed.load, range(0, 40, 4), [4] * 10))
        # What was read ahead of it is still there.
        order = which(Feed(opened(data_set(40)), "clips", seed=0).load(0, 40).clips)
        begin = 4 * ((order.index(17) // 4 + 1) % 10)
        assert which(feed.load(begin, 4).clips) == order[begin : begin + 4]
    with pytest.raises(BadInputError, match=r"train/17\.wav: cannot be read"):
        Feed(corpus, "clips", seed=0)


class Reads:
    """A reader that counts, and that waits where it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, []
        self.ahead = threading.Semaphore(0)

    def __call__(self, file: int) -> Recording:
        self.files.append(file)
        self.ahead.release()
        return read(self.folder / f"train/{file}.wav")

    def wait(self, count: int) -> None:
        for _ in range(count):
            assert self.ahead.acquire(timeout=10)


def test_what_was_read_ahead_is_not_read_again_and_what_was_not_wanted_is_dropped(data_set: DataSet) -> None:
    reads = Reads(data_set(12))
    store = Streamed(reads, frames=8, ahead_bytes=1 << 20)
    assert which(store.take([0, 1], [2, 3])) == [0, 1]
    reads.wait(4)
    assert which(store.take([2, 3], [4])) == [2, 3]
    reads.wait(1)
    assert sorted(reads.files) == [0, 1, 2, 3, 4]
    assert which(store.take([7, 7], [8])) == [7, 7]
    assert which(store.take([4])) == [4]
    reads.wait(3)
    assert sorted(reads.files) in ([0, 1, 2, 3, 4, 4, 7], [0, 1, 2, 3, 4, 4, 7, 8])
    assert not store._pending
    store.close()


def test_reading_ahead_is_bounded_by_its_memory(data_set: DataSet) -> None:
    store = Streamed(Reads(data_set(1)), frames=1000, ahead_bytes=8000 * 4 * 3)
    assert [store.calls_ahead(count) for count in (1, 4, 12, 100)] == [8, 3, 1, 1]
    store.close()


@pytest.mark.parametrize(
    "pattern",
    [(32,), (4, 4, 4, 20), (64, 128), (8, 8, 40, 8, 8, 104), (0, 16)],
    ids=["one rank", "accumulating", "a turn that rests", "both", "asked twice"],
)
def test_the_next_calls_are_foreseen_once_the_pattern_showed_twice(pattern: tuple[int, ...]) -> None:
    foresight, first, right = Foresight(), 1000, []
    for call in range(60):
        following = [pattern[(call + ahead) % len(pattern)] for ahead in range(5)]
        expected = [first + sum(following[: ahead + 1]) for ahead in range(5)]
        right.append(foresight.after(first, 5) == expected)
        first = expected[0]
    assert all(right[2 * len(pattern) :])


def test_a_pattern_is_found_again_after_an_interruption() -> None:
    foresight = Foresight()
    for first in (*range(0, 960, 96), *range(0, 64, 8), 960, 1056):
        expected = foresight.after(first, 2)
    assert expected == [1152, 1248]


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_both_stores_of_all_clips_give_what_the_files_hold(data_set: DataSet, dtype: str) -> None:
    corpus = opened(data_set(7))
    expected = torch.stack([torch.from_numpy(corpus.read(number)) for number in (6, 0, 3, 3)])
    stores = (
        InMemory(7, frames=8, dtype=dtype),
        OnDevice(7, frames=8, dtype=dtype, device=torch.device("cpu")),
    )
    for store in stores:
        assert fill(store, lambda number: corpus.recording(corpus.clips[number]), 7, frames=8, dtype=dtype)
        clips = store.take([6, 0, 3, 3])
        assert clips.dtype == torch.float32
        assert torch.equal(clips, expected)
        clips.zero_()
        assert torch.equal(store.take([6, 0, 3, 3]), expected)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
def test_the_device_gives_the_same_bytes_as_memory(data_set: DataSet) -> None:
    folder = data_set(9, label=["a", "b"])
    memory = Feed(opened(folder), "labelled", seed=0)
    for limit, place in ((None, "device"), (0, "stream")):
        with Feed(opened(folder), "labelled", seed=0, device="cuda", memory_limit_bytes=limit) as feed:
            assert feed.place == place
            for first in (0, 7, 14):
                one, other = feed.load(first, 7), memory.load(first, 7)
                assert one.clips.device.type == one.labels.device.type == "cuda"
                assert torch.equal(one.clips.cpu(), other.clips)
                assert torch.equal(one.labels.cpu(), other.labels)
            assert torch.equal(torch.cat(list(feed.in_order())), torch.cat(list(memory.in_order())))
