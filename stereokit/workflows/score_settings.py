"""The words of ``stereokit score``, and what must hold before anything is measured."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stereokit.data.workers import available_jobs
from stereokit.errors import MissingError, UsageError
from stereokit.metrics.comparison import Sizes
from stereokit.metrics.protocol import Protocol, protocol_with
from stereokit.workflows.checks import BASELINE, Check, parse_check
from stereokit.workflows.score_audit import MEMORISATION_KEYS
from stereokit.workflows.score_files import ScoreFiles
from stereokit.workflows.score_rows import THOROUGH_KEYS, check_keys
from stereokit.workflows.score_vectors import VECTOR_KEYS

if TYPE_CHECKING:
    from stereokit.workflows.score_report import Illustrate


@dataclass(frozen=True)
class ScoreSettings:
    """The words of ``stereokit score``; None leaves a part as the protocol has it."""

    generated: str
    reference: str
    protocol: str = "paper"
    feature: str | None = None
    distance: str | None = None
    is_full_range: bool | None = None
    length: float | None = None
    is_shape: bool | None = None
    sizes: Sizes = "equal"
    drop_silent: bool = False
    only: tuple[str, ...] = ()
    per_label: bool = False
    per_clip: bool = False
    statistics: bool = False
    audit: bool = False
    train: str | None = None
    fail_if: tuple[str, ...] = ()
    baseline: Path | None = None
    files: ScoreFiles = field(default_factory=ScoreFiles)
    window: int | None = None
    strict: bool = False
    seed: int = 0
    jobs: int | None = None
    device: str = "cpu"

    def load_protocol(self) -> Protocol:
        """Return what is measured.

        Raises
        ------
        UsageError
            When its parts do not go together.
        """
        return protocol_with(
            self.protocol,
            feature=self.feature,
            distance=self.distance,
            is_full_range=self.is_full_range,
            length=self.length,
            is_shape=self.is_shape,
        )

    def processes(self) -> int:
        """Return how many processes or threads may work at once."""
        return available_jobs() if self.jobs is None else self.jobs

    def search_device(self) -> str | None:
        """Return the torch device that searches neighbours; None for the processor, which needs no torch.

        Raises
        ------
        MissingError
            When torch or the device is not there.
        """
        if self.device == "cpu":
            return None
        try:
            from stereokit.training.device import choose_device  # noqa: PLC0415 - the base install works without torch
        except ImportError as error:
            raise MissingError(f"--device {self.device} needs torch: pip install 'stereokit[train]'") from error
        return choose_device(self.device)

    def illustrate(self) -> "Illustrate | None":
        """Return what makes the page and the picture; None where neither is asked for, which needs no matplotlib.

        Raises
        ------
        MissingError
            When matplotlib is not there.
        """
        if self.files.report is None and self.files.plot is None:
            return None
        try:
            from stereokit.workflows.score_report import illustrate  # noqa: PLC0415 - works without matplotlib
        except ImportError as error:
            raise MissingError("--report and --plot need matplotlib: pip install 'stereokit[plot]'") from error
        return illustrate

    def checks(self) -> list[Check]:
        """Read the conditions under which the result fails.

        Raises
        ------
        UsageError
            For one that cannot be read, or that needs an option which was not given.
        """
        keys = check_keys()
        checks = [parse_check(text, keys) for text in self.fail_if]
        for check in checks:
            for key in check.keys:
                if key.startswith(BASELINE) and self.baseline is None:
                    raise UsageError(f"--fail-if {check.text!r}: {key} needs --baseline FILE")
                self._require(check, key)
        return checks

    def _require(self, check: Check, key: str) -> None:
        needs = (
            (THOROUGH_KEYS, "--statistics", self.statistics),
            (MEMORISATION_KEYS, "--train DIR", self.train is not None),
            (VECTOR_KEYS, "a --feature of several values a frame", self.load_protocol().load_feature().width > 1),
        )
        for keys, option, is_given in needs:
            if key in keys and not is_given:
                raise UsageError(f"--fail-if {check.text!r}: {key} needs {option}")
