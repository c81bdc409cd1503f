"""The words of ``stereokit label propagate``, and what must hold before anything is read."""

import math
from dataclasses import dataclass
from pathlib import Path

from stereokit import catalog
from stereokit.data.workers import available_jobs
from stereokit.errors import UsageError
from stereokit.metrics.propagation._form import Propagation
from stereokit.workflows.label_examine import PORTRAIT
from stereokit.workflows.label_space import EMBEDDING, check_features

DEFAULT_METHOD = "kernel-machine"
DEFAULT_NEIGHBOURS = 6
DEFAULT_SHARES = (0.5, 0.6, 0.7, 0.8, 0.9)
_DIMENSIONS = 2


@dataclass(frozen=True)
class PropagateSettings:
    """The words of ``stereokit label propagate``; None is what was not said."""

    sources: tuple[str, ...]
    labels: str
    column: str = "label"
    method: str | None = None
    space: str | None = None
    dimensions: int | None = None
    features: str = PORTRAIT
    neighbours: int | None = None
    radius: float | None = None
    model: Path | None = None
    predicted_weight: float | None = None
    abstain: float = 0.0
    evaluate: bool = False
    shares: tuple[float, ...] = ()
    group: str | None = None
    strict: bool = False
    seed: int = 0
    jobs: int | None = None
    device: str = "auto"

    @property
    def processes(self) -> int:
        """How many processes may read at once."""
        return available_jobs() if self.jobs is None else self.jobs

    @property
    def map_dimensions(self) -> int:
        """Of a map."""
        return _DIMENSIONS if self.dimensions is None else self.dimensions

    @property
    def weight(self) -> float:
        """What a classifier's word weighs."""
        return 0.5 if self.predicted_weight is None else self.predicted_weight

    def load_method(self) -> Propagation:
        """Return the way labels are propagated.

        Raises
        ------
        UsageError
            For one that does not exist.
        """
        method: Propagation = catalog.load("propagation", self.method or DEFAULT_METHOD)
        return method

    def check(self) -> None:
        """Refuse words that do not go together.

        Raises
        ------
        UsageError
            Naming the first of them.
        """
        check_features(self.features)
        check_share("--abstain", self.abstain)
        space = self.space or EMBEDDING
        if space != EMBEDDING:
            valid = catalog.names("layout")
            if space not in valid:
                raise UsageError(f"--space {space!r}: choose from {', '.join([EMBEDDING, *valid])}")
        elif self.dimensions is not None and not self.evaluate:
            raise UsageError("--dimensions goes with --space umap, tsne or pca")
        if self.radius is not None and not 0.0 < self.radius < math.inf:
            raise UsageError(f"--radius {self.radius}: must be above 0, in the unit of the space")
        if self.predicted_weight is not None and not 0.0 <= self.predicted_weight < math.inf:
            raise UsageError(f"--predicted-weight {self.predicted_weight}: must be 0 or more")
        self._check_evaluation()
        if self.method is not None or not self.evaluate:
            self._check_method()

    def _check_evaluation(self) -> None:
        if not self.evaluate:
            if self.shares or self.group is not None:
                raise UsageError("--share and --group go with --evaluate")
            return
        if self.abstain:
            raise UsageError("--abstain: --evaluate judges all, and the surest nine tenths; leave one out")
        for share in self.shares:
            if not 0.0 < share < 1.0:
                raise UsageError(f"--share {share}: must be above 0 and under 1")

    def _check_method(self) -> None:
        method, name = self.load_method(), self.method or DEFAULT_METHOD
        if method.needs_predicted and self.model is None:
            raise UsageError(f"--method {name} needs --model RUN, a trained labeller")
        if not method.needs_predicted and (self.model is not None or self.predicted_weight is not None):
            raise UsageError(f"--model and --predicted-weight go with --method assisted, not with {name}")
        if not method.has_neighbours and self.neighbours is not None:
            raise UsageError(f"--neighbours: {name} asks all clips; choose another --method")
        if not method.has_radius and self.radius is not None:
            raise UsageError(f"--radius goes with --method radius, not with {name}")


def check_share(option: str, value: float) -> None:
    """Refuse what is no probability.

    Raises
    ------
    UsageError
        Naming the option.
    """
    if not 0.0 <= value <= 1.0:
        raise UsageError(f"{option} {value}: must be from 0 to 1")
