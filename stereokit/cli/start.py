"""The entry point: signals are ours before anything slow is imported."""

import signal
import sys
from types import FrameType

from stereokit.errors import Status, Terminated


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def main() -> None:
    """Run the command line; a signal while it loads or ends is answered with its status, too."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        from stereokit.cli.app import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(int(Status.INTERRUPTED))
    except Terminated:
        sys.exit(int(Status.TERMINATED))
