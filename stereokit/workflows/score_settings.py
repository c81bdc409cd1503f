"""The words of ``stereokit score``, and what must hold before anything is measured."""

from dataclasses import dataclass, field
from pathlib import Path

from stereokit.errors import UsageError
from stereokit.metrics.comparison import Sizes
from stereokit.metrics.protocol import Protocol, protocol_with
from stereokit.workflows.checks import BASELINE, Check, parse_check
from stereokit.workflows.score_files import ScoreFiles
from stereokit.workflows.score_rows import THOROUGH_KEYS, check_keys


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
    fail_if: tuple[str, ...] = ()
    baseline: Path | None = None
    files: ScoreFiles = field(default_factory=ScoreFiles)
    window: int | None = None
    strict: bool = False
    seed: int = 0
    jobs: int | None = None

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
                if key in THOROUGH_KEYS and not self.statistics:
                    raise UsageError(f"--fail-if {check.text!r}: {key} needs --statistics")
        return checks
