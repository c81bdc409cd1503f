"""The one way to write a file, the one lock, and the one check of paths that come from a manifest."""

import contextlib
import errno
import fcntl
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from stereokit.errors import BadInputError, LockedError, OutputError


def write_file(path: Path, data: bytes | bytearray, *, durable: bool = True) -> None:
    """Put ``data`` at ``path`` whole or not at all: temporary file beside it, fsync, rename.

    The mode is 0666 less the umask, as for any file that a shell redirects to.

    Parameters
    ----------
    path
        The target; an existing file is replaced in one step.
    data
        All of its bytes.
    durable
        False leaves the fsync to one ``sync_batch`` after many files.

    Raises
    ------
    OutputError
        When the folder is missing, read-only or full; the temporary file is gone by then.
    """
    write_parts(path, (data,), durable=durable)


def write_parts(path: Path, parts: Iterable[bytes | bytearray], *, durable: bool = True) -> None:
    """Do as ``write_file`` with a file whose bytes come in parts; whatever ends them early leaves nothing behind.

    Raises
    ------
    OutputError
        As ``write_file`` does.
    """
    temporary = path.with_name(f".{path.name[:48]}.{secrets.token_hex(6)}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            with open(descriptor, "wb", buffering=0) as file:
                for part in parts:
                    view = memoryview(part)
                    while view:
                        view = view[file.write(view) :]
                if durable:
                    os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


def append_file(path: Path, data: bytes) -> None:
    """Add ``data`` to the end of a file (made when missing), whole or not at all.

    Raises
    ------
    OutputError
        When the folder is missing, read-only or full; what was there stays.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        with open(descriptor, "ab", buffering=0) as file:
            before = os.fstat(descriptor).st_size
            try:
                view = memoryview(data)
                while view:
                    view = view[file.write(view) :]
            except BaseException:
                os.ftruncate(descriptor, before)
                raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


def sync_batch() -> None:
    """Make every file written with ``durable=False`` survive a power cut, before a manifest names them."""
    os.sync()


def make_folder(path: Path) -> None:
    """Create a folder and its parents.

    Raises
    ------
    OutputError
        When it cannot be made, or something else is there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {path}: {error.strerror}") from error


def move_file(source: Path, target: Path) -> None:
    """Rename a file within one file system, replacing the target in one step.

    Raises
    ------
    OutputError
        When it cannot be moved.
    """
    try:
        source.replace(target)
    except OSError as error:
        raise OutputError(f"cannot move {source} to {target}: {error.strerror}") from error


def remove_file(path: Path) -> None:
    """Delete a file that may be gone already.

    Raises
    ------
    OutputError
        When it is there and stays.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot remove {path}: {error.strerror}") from error


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back until the block ends: for steps that belong together and are short."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers = [signal.signal(number, lambda number, _: arrived.append(number)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)
        if arrived:
            signal.raise_signal(arrived[0])


@contextlib.contextmanager
def locked(path: Path, *, guards: Path | None = None) -> Iterator[None]:
    """Hold an exclusive lock on the file ``path`` (made when missing); it ends with the process.

    The holder's process and host are written into it for whoever looks. ``guards`` is what nobody else may use
    meanwhile: the lock's folder, unless it is said otherwise.

    Raises
    ------
    LockedError
        When another process holds it, naming that process.
    OutputError
        When the lock file cannot be made.
    """
    guarded = path.parent if guards is None else guards
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise OutputError(f"cannot make the lock {path}: {error.strerror}") from error
    with open(descriptor, "r+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise OutputError(f"cannot lock {path}: {error.strerror}") from error
            holder = file.read(200).decode("utf-8", "replace").strip() or "another process"
            raise LockedError(f"{guarded} is in use by {holder}: wait for it to end") from error
        if not path.exists() or os.fstat(file.fileno()).st_ino != path.stat().st_ino:
            # Its holder removed it between our opening and our locking: what we hold, nobody else will see.
            raise LockedError(f"{guarded} was in use until now: try again")
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n".encode())
        yield


def contained_path(folder: Path, name: str) -> Path:
    r"""Return ``folder/name`` for a name that a manifest gives, when it cannot lead out of the folder.

    Raises
    ------
    BadInputError
        For an empty or absolute name, a drive letter or backslash, a ``..``, a NUL byte, a lone surrogate, or a
        symbolic link that ends outside or in a circle.

    >>> contained_path(Path("set"), "train/a.wav").as_posix()
    'set/train/a.wav'
    """
    pure = PurePosixPath(name)
    reason = ""
    if not pure.parts:
        reason = "is empty"
    elif "\0" in name:
        reason = "holds a NUL byte"
    elif pure.is_absolute() or PureWindowsPath(name).drive or "\\" in name:
        reason = "is absolute or of another system"
    elif ".." in pure.parts:
        reason = "leads out of its folder with '..'"
    if not reason:
        path = folder / pure
        try:
            if path.resolve().is_relative_to(folder.resolve()):
                return path
            reason = "is a link that ends outside its folder"
        except UnicodeEncodeError:
            reason = "is no text"
        except (OSError, RuntimeError):
            # Python 3.11 and 3.12 raise a RuntimeError for links in a circle, 3.13 does not
            reason = "is a link that ends nowhere"
    raise BadInputError(f"file_name {name!r} {reason}: use a path inside {folder}")
