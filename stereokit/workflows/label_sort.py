"""``stereokit label predict --sort-into``: a folder a label, with copies or links."""

import contextlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stereokit.data.sources import Source
from stereokit.data.tables import METADATA, manifest_of
from stereokit.data.text import output_stem
from stereokit.errors import BadInputError, OutputError, UsageError
from stereokit.writing import make_folder, sync_batch, write_file

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _+-]{0,47}")


@dataclass
class Sorting:
    """Where clips go.

    Attributes
    ----------
    folder
        That gets a folder a label.
    is_linked
        Whether links are made, to where the files lie now, instead of copies.
    is_dry
        Whether nothing is written.
    """

    folder: Path
    is_linked: bool = False
    is_dry: bool = False
    _rows: list[Mapping[str, object]] = field(default_factory=list)

    def check(self, sources: Sequence[Source], *, force: bool) -> None:
        """Refuse a folder that has something in it, or that lies where the sounds are.

        Raises
        ------
        UsageError
            Saying why.
        """
        place = self.folder.resolve()
        roots = {Path(*source.path.resolve().parts[: -len(Path(source.key).parts)]) for source in sources[:1000]}
        for root in roots:
            if place.is_relative_to(root) and root != Path(root.anchor):
                raise UsageError(f"--sort-into {self.folder}: lies in {root}, whose sounds are read; choose another")
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f"--sort-into {self.folder}: is no folder")
        if self.folder.is_dir() and any(self.folder.iterdir()) and not force:
            raise UsageError(f"--sort-into {self.folder}: is not empty; --force adds to it, replacing the same names")

    def put(self, source: Source, label: str, columns: Mapping[str, object]) -> Path:
        """Put a clip into the folder of its label and return where it is.

        Raises
        ------
        BadInputError
            When it cannot be read any more.
        OutputError
            When it cannot be written.
        """
        name = f"{output_stem(source.key)}{source.path.suffix.lower()}"
        target = self.folder / folder_name(label) / name
        self._rows.append({"file_name": f"{target.parent.name}/{name}", "label": label, **columns})
        if self.is_dry:
            return target
        make_folder(target.parent)
        if self.is_linked:
            _link(source.path.resolve(), target)
            return target
        try:
            data = source.path.read_bytes()
        except OSError as error:
            raise BadInputError(f"cannot be read: {error.strerror}") from error
        write_file(target, data, durable=False)
        return target

    def finish(self) -> None:
        """Write ``metadata.jsonl``, with a row a clip, as ``prep`` and ``score`` read it; rows of others stay.

        Raises
        ------
        OutputError
            When it cannot be written.
        """
        if self.is_dry or not self._rows:
            return
        sync_batch()
        before = manifest_of(self.folder)
        rows: dict[str, Mapping[str, object]] = {
            name: {"file_name": name, **row} for name, row in (before.rows if before else {}).items()
        }
        rows |= {str(row["file_name"]): row for row in self._rows}
        ordered = [rows[name] for name in sorted(rows, key=str.encode)]
        text = "".join(json.dumps(row, allow_nan=False) + "\n" for row in ordered)
        write_file(self.folder / METADATA, text.encode())


def folder_name(label: str) -> str:
    """Return the name of a label's folder: the label itself where that is plain, else a slug of it.

    >>> folder_name("closed hat"), folder_name("../x")
    ('closed hat', 'x-d42ff05c')
    """
    return label if _PLAIN.fullmatch(label) and not label.endswith(" ") else output_stem(label)


def _link(source: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name[:48]}.{secrets.token_hex(6)}.tmp")
    try:
        temporary.symlink_to(source)
        try:
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise OutputError(f"cannot link {target}: {error.strerror}") from error
