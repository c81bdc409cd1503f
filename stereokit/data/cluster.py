"""The same work on a dask cluster, through joblib: the same results, in the same order.

Every machine must see the files under the same paths, and have the same versions of all that makes the bytes. What
travels is pickled and not encrypted, so the network must be one that is trusted.
"""

import contextlib
import importlib
import multiprocessing
import secrets
import socket
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from stereokit.data.dataset import versions
from stereokit.data.isolated_worker import Limits
from stereokit.data.isolation import map_isolated
from stereokit.errors import BadInputError, MissingError, StereokitError, UsageError
from stereokit.writing import remove_file, write_file

Item = TypeVar("Item")
Result = TypeVar("Result")

_CONNECT_S = 10.0
_CHUNKS_AHEAD_PER_JOB = 3
_COMPARED_BYTES = 4096


def map_cluster(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    address: str,
    folder: Path,
    witness: Path | None = None,
    limits: Limits | None = None,
    chunk: int = 32,
) -> Generator[Result | BadInputError, None, None]:
    """Apply ``function`` to each item on a cluster and yield the results in order, as ``map_isolated`` does here.

    There, too, each thread that the cluster offers works in an isolated process.

    Parameters
    ----------
    function, items, limits
        Of ``map_isolated``; paths among them absolute.
    address
        Of the scheduler: ``tcp://host:port``.
    folder
        Where the function writes. A small file is put there while the work lasts; workers stop when it is gone.
    witness
        One of the files that are read; workers must find it as it is here.
    chunk
        Items sent at once.

    Raises
    ------
    MissingError
        When joblib or dask is not installed, no scheduler answers, or no worker comes.
    UsageError
        When a worker has other versions, or sees other files.
    StereokitError, OSError
        Any other that the function raises, and one when workers are lost again and again.
    """
    joblib, distributed = _libraries()
    with _connected(distributed, address) as client, _sign(folder) as sign:
        files = [sign] if witness is None else [sign, witness]
        _check_workers(client, files, function)
        work = joblib.delayed(_chunk_there)
        chunks = (items[start : start + chunk] for start in range(0, len(items), chunk))
        calls = (work(function, part, sign, limits or Limits()) for part in chunks)
        with joblib.parallel_config(_backend(client)):
            parallel = joblib.Parallel(
                return_as="generator", batch_size=1, pre_dispatch=f"{_CHUNKS_AHEAD_PER_JOB} * n_jobs"
            )
            answers = parallel(calls)
        with contextlib.closing(_told_in_our_words(answers)) as told:
            for answer in told:
                yield from answer


def _libraries() -> tuple[Any, Any]:
    try:
        return importlib.import_module("joblib"), importlib.import_module("distributed")
    except ImportError as error:
        raise MissingError(
            f"--cluster needs {error.name}, which is not installed: pip install 'stereokit[cluster]'"
        ) from error


@contextlib.contextmanager
def _connected(distributed: Any, address: str) -> Iterator[Any]:
    host, port = _host_and_port(address)
    try:
        # A client that never met its scheduler takes half a minute to give up.
        socket.create_connection((host, port), timeout=_CONNECT_S).close()
        client = distributed.Client(address, timeout=_CONNECT_S, set_as_default=False)
    except OSError as error:
        raise MissingError(f"--cluster {address}: no scheduler answers there ({error})") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_CONNECT_S)
        except TimeoutError as error:
            raise MissingError(f"--cluster {address}: has no worker; start one by: dask worker {address}") from error
        yield client


def _host_and_port(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(address)
        if parts.scheme in ("tcp", "tls") and parts.hostname and parts.port:
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise UsageError(f"--cluster {address}: must be tcp://host:port")


@contextlib.contextmanager
def _sign(folder: Path) -> Iterator[Path]:
    """Put a file into the folder that is there as long as the work lasts."""
    name = secrets.token_hex(8)
    path = folder.resolve() / f".cluster.{name}.tmp"
    write_file(path, name.encode())
    try:
        yield path
    finally:
        remove_file(path)


def _backend(client: Any) -> Any:
    """Return joblib's backend for a cluster, told of work that never reached a worker: it would wait for ever."""
    module = importlib.import_module("joblib._dask")

    class Backend(module.DaskDistributedBackend):  # type: ignore[misc, name-defined]  # known when joblib is there
        def submit(self, func: Any, callback: Callable[[Any], None]) -> Any:
            future = super().submit(func, callback)
            future.add_done_callback(lambda done: callback(_Lost(done.exception())) if done.exception() else None)
            return future

        def retrieve_result_callback(self, out: Any) -> Any:
            if isinstance(out, _Lost):
                raise out.error
            return super().retrieve_result_callback(out)

    return Backend(client=client)


@dataclass(frozen=True)
class _Lost:
    """Why work did not reach a worker, or was lost with it."""

    error: BaseException


def _told_in_our_words(answers: Generator[Any, None, None]) -> Generator[Any, None, None]:
    try:
        for answer in answers:  # noqa: UP028 - the error of the one who asks is not one of the cluster
            yield answer
    except (StereokitError, OSError):
        raise
    except Exception as error:
        raise StereokitError(f"--cluster: work was lost: {type(error).__name__}: {error}") from error
    finally:
        # joblib warns of work that nobody waited for, which is what was meant.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answers.close()


def _check_workers(client: Any, files: Sequence[Path], function: object) -> None:
    """Refuse workers that would give other bytes."""
    here = versions()
    try:
        found: Mapping[str, tuple[dict[str, str], list[bytes]]] = client.run(_worker_view, files, function)
    except Exception as error:
        raise UsageError(
            f"--cluster: cannot work there ({error}): install the same stereokit for the scheduler and its workers"
        ) from error
    for worker, (there, beginnings) in found.items():
        for name, version in here.items():
            if there[name] != version:
                raise UsageError(
                    f"--cluster: the worker at {worker} has {name} {there[name]}, not {version} as here: "
                    "the bytes could differ"
                )
        for file, beginning in zip(files, beginnings, strict=True):
            if beginning != _beginning(file):
                shown = file if file != files[0] else file.parent
                raise UsageError(
                    f"--cluster: the worker at {worker} does not see {shown} as it is here: "
                    "every machine must have the files under the same paths"
                )


def _worker_view(files: Iterable[Path], function: object) -> tuple[dict[str, str], list[bytes]]:
    return versions(), [_beginning(file) for file in files]


def _beginning(file: Path) -> bytes:
    """Return a file's first bytes, none when it is not there."""
    try:
        with file.open("rb") as stream:
            return stream.read(_COMPARED_BYTES)
    except OSError:
        return b""


def _chunk_there(
    function: Callable[[Item], Result], items: Sequence[Item], sign: Path, limits: Limits
) -> list[Result | BadInputError]:
    """Do one chunk where a worker is; nothing more once the sign is gone."""
    # The cluster's nanny forbids its workers to have processes of their own.
    multiprocessing.current_process().daemon = False
    results: list[Result | BadInputError] = []
    with contextlib.closing(map_isolated(function, items, jobs=1, limits=limits, chunk=1)) as answers:
        for result in answers:
            results.append(result)
            if not sign.exists():
                raise StereokitError("--cluster: the work was given up")
    return results
