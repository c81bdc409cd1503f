"""The words of ``stereokit label map``, and what must hold before anything is heard."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stereokit import catalog
from stereokit.data.workers import available_jobs
from stereokit.errors import MissingError, OutputError, UsageError
from stereokit.workflows.label_examine import PORTRAIT
from stereokit.workflows.label_space import check_features

if TYPE_CHECKING:
    from stereokit.metrics.layouts._form import Layout
    from stereokit.workflows.label_map_file import SavedMap

DEFAULT_LAYOUT = "umap"
_PICTURES = (".png", ".svg")


@dataclass(frozen=True)
class MapSettings:
    """The words of ``stereokit label map``; None is what was not said.

    Attributes
    ----------
    parameters
        Of the layout, those that were said.
    into
        A map that is there, for new files.
    save, plot, html
        What is written.
    """

    sources: tuple[str, ...]
    features: str | None = None
    layout: str | None = None
    dimensions: int | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    labels: str | None = None
    column: str = "label"
    is_guided: bool = False
    into: Path | None = None
    save: Path | None = None
    plot: Path | None = None
    html: Path | None = None
    force: bool = False
    dry_run: bool = False
    strict: bool = False
    seed: int | None = None
    jobs: int | None = None
    device: str = "auto"

    @property
    def processes(self) -> int:
        """How many processes may read at once."""
        return available_jobs() if self.jobs is None else self.jobs

    @property
    def outputs(self) -> dict[str, Path]:
        """What is written, by option."""
        named = {"--save": self.save, "--plot": self.plot, "--html": self.html}
        return {option: path for option, path in named.items() if path is not None}

    def check(self) -> None:
        """Refuse words that do not go together, and outputs that cannot be written.

        Raises
        ------
        UsageError
            Naming the first of them.
        OutputError
            When an output's folder is not there.
        MissingError
            When a package is not there.
        """
        if self.features is not None:
            check_features(self.features)
        valid = catalog.names("layout")
        if self.layout is not None and self.layout not in valid:
            raise UsageError(f"--layout {self.layout!r}: choose from {', '.join(valid)}")
        if self.into is None:
            self._check_new()
        else:
            if self.is_guided:
                raise UsageError("--guided: a map that is there is not drawn again; leave it or --into out")
            if self.save is not None:
                raise UsageError("--save keeps a new map; leave it or --into out")
        if not self.outputs and (self.force or self.dry_run):
            raise UsageError("--force and --dry-run go with --save, --plot or --html")
        self._check_outputs()

    def _check_new(self) -> None:
        layout: Layout = catalog.load("layout", self.layout or DEFAULT_LAYOUT)
        layout.values(self.parameters)
        if self.is_guided:
            if not layout.can_be_guided:
                loaded = {name: catalog.load("layout", name) for name in catalog.names("layout")}
                able = " and ".join(name for name, one in loaded.items() if one.can_be_guided)
                raise UsageError(f"--guided: labels can guide {able}, not {layout.name}")
            if self.labels is None:
                raise UsageError("--guided needs --labels FILE or metadata")
        layout.check_installed()

    def _check_outputs(self) -> None:
        if self.plot is not None and self.plot.suffix.lower() not in _PICTURES:
            raise UsageError(f"--plot {self.plot}: give a name that ends in {' or '.join(_PICTURES)}")
        for option, path in self.outputs.items():
            if path.is_dir():
                raise UsageError(f"{option} {path}: is a folder")
            if self.into is not None and path.absolute() == self.into.absolute():
                raise UsageError(f"{option} {path}: is the map that stays")
            if path.exists() and not self.force:
                raise UsageError(f"{option} {path}: is there already; --force replaces it")
            if not path.parent.is_dir():
                raise OutputError(f"cannot write {path}: there is no folder {path.parent}")
        if len({path.absolute() for path in self.outputs.values()}) < len(self.outputs):
            raise UsageError(f"{' and '.join(self.outputs)} name the same file")
        if self.plot is not None:
            try:
                import stereokit.workflows.label_map_picture  # noqa: F401, PLC0415 - works without matplotlib
            except ImportError as error:
                raise MissingError("--plot needs matplotlib: pip install 'stereokit[plot]'") from error

    def check_map(self, saved: "SavedMap") -> None:
        """Refuse words that say something else than the map that is there.

        Raises
        ------
        UsageError
            Naming the first of them.
        """
        sounds = saved.sounds
        # a run may have moved: what it is, is checked when it is opened
        is_other_feature = self.features is not None and self.features != saved.features
        if is_other_feature and (saved.run is None or self.features in [PORTRAIT, *catalog.names("feature")]):
            raise UsageError(f"--features {self.features}: {self.into} was made with {saved.features}")
        if saved.run is not None and not Path(self.features or saved.features).is_dir():
            raise UsageError(f"{self.into} was made with the run {saved.features}, which is not there: say --features")
        said = {"layout": self.layout, "dimensions": self.dimensions, "seed": self.seed, **self.parameters}
        is_so = {
            "layout": sounds.layout, "dimensions": sounds.dimensions, "seed": sounds.seed, **sounds.drawn.values
        }  # fmt: skip
        for option, value in said.items():
            if value is not None and value != is_so.get(option):
                has = is_so.get(option, "none")
                raise UsageError(f"--{option} {value}: {self.into} was made with {has}; a map that is there stays")
