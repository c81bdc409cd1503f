"""The entry point: signals are ours before anything slow is imported."""

import os
import signal
import sys
from types import FrameType

from stereokit.errors import Status, Terminated


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def main() -> None:
    """Run the command line; a signal while it loads or ends is answered with its status, too."""
    signal.signal(signal.SIGTERM, _terminate)
    # Threads of torch that spin while they wait for each other take twice the processor time, and on a busy machine
    # most of the time there is. Read when the library loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from stereokit.cli.app import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(int(Status.INTERRUPTED))
    except Terminated:
        sys.exit(int(Status.TERMINATED))
