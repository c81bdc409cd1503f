"""The words of ``stereokit label review``, and what must hold before anything is heard."""

import webbrowser
from dataclasses import dataclass
from pathlib import Path

from stereokit import catalog
from stereokit.data.workers import available_jobs
from stereokit.errors import MissingError, UsageError
from stereokit.workflows.label_space import check_features
from stereokit.workflows.review_desk import class_name


@dataclass(frozen=True)
class ReviewSettings:
    """The words of ``stereokit label review``; None is what was not said.

    Attributes
    ----------
    output
        The file of decisions.
    map
        One that ``label map --save`` has drawn of the clips, or of some.
    opens
        Whether a browser is opened.
    """

    sources: tuple[str, ...]
    output: Path
    labels: str | None = None
    column: str = "label"
    classes: tuple[str, ...] = ()
    features: str | None = None
    layout: str | None = None
    map: Path | None = None
    results: bool = False
    port: int = 0
    opens: bool = False
    strict: bool = False
    seed: int = 0
    jobs: int | None = None
    device: str = "auto"

    @property
    def processes(self) -> int:
        """How many processes may read at once."""
        return available_jobs() if self.jobs is None else self.jobs

    def check(self) -> None:
        """Refuse words that do not go together.

        Raises
        ------
        UsageError
            Naming the first of them.
        MissingError
            When there is no browser to open.
        """
        if self.features is not None:
            check_features(self.features)
        if self.layout is not None and self.layout not in catalog.names("layout"):
            raise UsageError(f"--layout {self.layout!r}: choose from {', '.join(catalog.names('layout'))}")
        if self.map is not None and self.layout is not None:
            raise UsageError("--layout: a map that is there is not drawn again; leave it or --map out")
        for name in self.classes:
            class_name(name)
        if self.results and not (self.output.is_file() and self.output.stat().st_size):
            raise UsageError(f"--results: there are no decisions in {self.output}")
        if self.opens and not self.results:
            try:
                webbrowser.get()
            except webbrowser.Error as error:
                raise MissingError("--open: there is no browser here; leave it out and open the address") from error
