"""Sounds that a run's model is to encode: found, checked against what it eats, labelled as its data were."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from stereokit.audio.clip import Clip
from stereokit.audio.files import read
from stereokit.data.corpus import LABEL_COLUMN
from stereokit.data.pitch_names import PITCH_IN_NAME, pitch_in_name
from stereokit.data.sources import Refusal, Source, find_sources
from stereokit.data.tables import FileTable, TableRow, manifest_of
from stereokit.data.text import label_text, nfc
from stereokit.errors import BadInputError, UsageError
from stereokit.models._run import Run
from stereokit.workflows.generate_settings import told


@dataclass(frozen=True)
class Sound:
    """A file that fits a run's model.

    Attributes
    ----------
    path
        Where it is.
    label
        The number of its own label; None without labels, or where the run does not know it.
    """

    path: Path
    label: int | None


@dataclass(frozen=True)
class Sounds:
    """What the files of a command line are to a run."""

    run: Run
    _tables: dict[Path, FileTable | None] = field(default_factory=dict, repr=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """The run's labels; none where it was trained without."""
        return tuple(getattr(self.run.config, "labels", ()))

    def clip(self, path: Path) -> Clip:
        """Read a file.

        Raises
        ------
        BadInputError
            Naming it, when it cannot be read or has another rate or length than the model's clips.
        """
        try:
            clip = read(path).to_clip()
        except BadInputError as error:
            raise BadInputError(f"{path}: {error}") from error
        rate, frames = self.run.model.sample_rate, self.run.model.frames
        if (clip.sample_rate, clip.frames) != (rate, frames):
            raise BadInputError(
                f"{path}: has {clip.frames} samples at {clip.sample_rate} Hz, the model takes {frames} at {rate} Hz: "
                f"prep with --rate {rate} --length {frames / rate:.6g}"
            )
        return clip

    def waves(self, sounds: Sequence[Sound]) -> torch.Tensor:
        """Return the samples of several, float32 (len(sounds), 2, frames).

        Raises
        ------
        BadInputError
            As ``clip`` does.
        """
        return torch.stack([torch.from_numpy(self.clip(sound.path).samples) for sound in sounds])

    def one(self, word: str) -> Sound:
        """Return the sound of a word that names one file.

        Raises
        ------
        UsageError
            When there is no such file.
        BadInputError
            As ``clip`` does.
        """
        if not Path(word).is_file():
            raise UsageError(f"{word!r}: is no clip's number and no file")
        (sound,) = (self._sound(source) for source in find_sources(word).sources)
        self.clip(sound.path)
        return sound

    def several(self, given: Iterable[str], stdin: Iterable[str] | None) -> tuple[list[Sound], list[Refusal]]:
        """Return those of folders, lists and files that fit, and the others with what is wrong with them.

        Raises
        ------
        UsageError
            When what was given does not exist.
        BadInputError
            When it cannot be read, or nothing in it fits.
        """
        sounds: list[Sound] = []
        refused: list[Refusal] = []
        for word in given:
            found = find_sources(word, stdin)
            refused += found.refused
            for source in found.sources:
                try:
                    self.clip(source.path)
                except BadInputError as error:
                    refused.append(Refusal(str(source.path), str(error).removeprefix(f"{source.path}: ")))
                else:
                    sounds.append(self._sound(source))
        if not sounds:
            first = f": {refused[0].path}: {refused[0].reason}" if refused else ""
            raise BadInputError(f"--reconstruct: no usable sound in {', '.join(given)}{first}")
        return sounds, refused

    def required(self, sounds: Iterable[Sound], label: int | None) -> Iterator[int]:
        """Yield each sound's label, or the one that was asked for where it has none.

        Raises
        ------
        UsageError
            When a run with labels knows neither.
        """
        for sound in sounds:
            found = label if sound.label is None else sound.label
            if found is None:
                raise UsageError(
                    f"{sound.path}: has no label that the run knows; say one with --condition ({told(self.labels)})"
                )
            yield found

    def _sound(self, source: Source) -> Sound:
        column = str(self.run.data.get("condition", LABEL_COLUMN))
        row = source.row or self._row_of(source.path)
        is_in_name = column == PITCH_IN_NAME
        label = pitch_in_name(str(row.get("source") or source.path.name)) if is_in_name else label_text(row.get(column))
        return Sound(source.path, self.labels.index(label) if label in self.labels else None)

    def _row_of(self, path: Path) -> TableRow:
        """Return what a data set around a file says of it."""
        folder = path.resolve().parent
        if folder not in self._tables:
            self._tables[folder] = manifest_of(folder, or_above=True)
        table = self._tables[folder]
        if table is None:
            return {}
        return table.rows.get(nfc((folder / path.name).relative_to(table.folder).as_posix()), {})
