"""The words of ``stereokit score``, and what must hold before anything is measured."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stereokit.data.workers import available_jobs
from stereokit.errors import MissingError, UsageError
from stereokit.metrics.comparison import Sizes
from stereokit.metrics.embedding import EmbeddingProtocol, embedding_protocol
from stereokit.metrics.protocol import Protocol, protocol_with
from stereokit.workflows.checks import BASELINE, Check, parse_check
from stereokit.workflows.score_audit import MEMORISATION_KEYS
from stereokit.workflows.score_device import model_device
from stereokit.workflows.score_files import ScoreFiles
from stereokit.workflows.score_rows import THOROUGH_KEYS, check_keys
from stereokit.workflows.score_vectors import VECTOR_KEYS, has_vectors

if TYPE_CHECKING:
    from stereokit.workflows.score_embedding import SetEmbedder
    from stereokit.workflows.score_report import Illustrate


@dataclass(frozen=True)
class ScoreSettings:
    """The words of ``stereokit score``; None leaves a part as the protocol has it."""

    generated: str
    reference: str
    protocol: str = "paper"
    feature: str | None = None
    embedding: Path | None = None
    distance: str | None = None
    is_full_range: bool | None = None
    length: float | None = None
    is_shape: bool | None = None
    sizes: Sizes = "equal"
    drop_silent: bool = False
    only: tuple[str, ...] = ()
    per_label: bool = False
    per_clip: bool = False
    per_window: bool = False
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
    device: str = "auto"

    def load_protocol(self) -> Protocol:
        """Return what is measured.

        Raises
        ------
        UsageError
            When its parts do not go together.
        """
        if self.embedding is not None:
            return self._embedding_protocol()
        return protocol_with(
            self.protocol,
            feature=self.feature,
            distance=self.distance,
            is_full_range=self.is_full_range,
            length=self.length,
            is_shape=self.is_shape,
        )

    def _embedding_protocol(self) -> EmbeddingProtocol:
        foreign = {
            "--protocol ml2020": self.protocol != "paper",
            "--feature": self.feature is not None,
            "--range": self.is_full_range is not None,
            "--shape": self.is_shape is not None,
        }
        if given := [option for option, is_given in foreign.items() if is_given]:
            raise UsageError(f"{', '.join(given)}: for features, and --embedding takes their place; leave one out")
        return embedding_protocol(distance=self.distance, length=self.length)

    def processes(self) -> int:
        """Return how many processes or threads may work at once."""
        return available_jobs() if self.jobs is None else self.jobs

    def load_embedder(self, protocol: Protocol) -> "SetEmbedder | None":
        """Return the model that places the clips in its space; None without ``--embedding``, which needs no torch.

        Raises
        ------
        MissingError
            When torch is not there.
        UsageError, BadInputError
            When the run's family is no embedder, or the run cannot be read.
        """
        if self.embedding is None or not isinstance(protocol, EmbeddingProtocol):
            return None
        try:
            from stereokit.workflows.score_embedding import load_embedder  # noqa: PLC0415 - works without torch
        except ImportError as error:
            raise MissingError("--embedding needs torch: pip install 'stereokit[train]'") from error
        return load_embedder(self.embedding, protocol, model_device(self.device))

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
        if self.per_window:
            raise UsageError("--per-window: windows are of clips of the same name; give --paired and --window SAMPLES")
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
            (VECTOR_KEYS, "--embedding or a --feature of several values a frame", has_vectors(self.load_protocol())),
        )
        for keys, option, is_given in needs:
            if key in keys and not is_given:
                raise UsageError(f"--fail-if {check.text!r}: {key} needs {option}")
