"""``stereokit doctor``: what is installed, what is missing, and what works."""

import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata, util
from pathlib import Path

from stereokit import __version__
from stereokit.data.workers import available_jobs
from stereokit.errors import Status
from stereokit.workflows.events import Events, Json, Message, Row

DOCTOR_SCHEMA = "stereokit.doctor/1"
LICENCE_SCHEMA = "stereokit.licence/1"

# Distribution -> the module that it brings, where that is not its name. What each extra needs is read from the
# installed metadata.
_MODULES = {"dask": "distributed", "scikit-learn": "sklearn", "umap-learn": "umap"}
_EXTRAS = ("train", "label", "midi", "plot", "cluster")
_IMPORT_LIMIT_S = 120

_SOUNDFONT = "pretty_midi/TimGM6mb.sf2"
_SOUNDFONT_LICENCE = "GPL-2 (Tim Brechbill; David Bolton), used from pretty_midi's wheel, never copied"

# Runs in a child process: a broken native library may crash at import, and must take only the child.
_PROBE = """
import importlib, json, sys
name = sys.argv[1]
module = importlib.import_module(name)
facts = {}
if name == "soundfile":
    facts["libsndfile"] = module.__libsndfile_version__
if name == "torch":
    facts["cuda_devices"] = module.cuda.device_count()
    facts["mps"] = bool(module.backends.mps.is_available())
    facts["threads"] = module.get_num_threads()
print(json.dumps(facts))
"""


def doctor(*, licences: bool) -> Events:
    """Yield a row about this machine, then one a package; with ``licences`` the licence of each instead.

    Returns status 5 when a package of the base installation is missing or cannot be imported.
    """
    needed = _requirements()
    if licences:
        yield from _licence_rows(needed)
        return Status.DONE
    yield Row(
        DOCTOR_SCHEMA,
        {
            "what": "system",
            "name": f"stereokit {__version__}",
            "state": "ok",
            "detail": f"Python {platform.python_version()}, {platform.platform()}, {available_jobs()} CPUs usable",
        },
    )
    broken = []
    with ThreadPoolExecutor(available_jobs()) as pool:
        checked = pool.map(_check_package, needed, needed.values())
    for (name, extras), (row, works) in zip(needed.items(), checked, strict=True):
        yield row
        if not works and "base" in extras:
            broken.append(name)
    for extra in _EXTRAS:
        lacking = [name for name, extras in needed.items() if extra in extras and _installed_version(name) is None]
        if lacking:
            yield Message(f"extra {extra} lacks {', '.join(lacking)}: pip install 'stereokit[{extra}]'")
    if broken:
        yield Message(f"the base installation lacks {', '.join(broken)}: pip install stereokit", is_warning=True)
        return Status.MISSING
    return Status.DONE


def _requirements() -> dict[str, list[str]]:
    """Return each distribution that stereokit asks for, with the extras that need it (``base`` for none)."""
    needed: dict[str, list[str]] = {}
    for extra in ("base", *_EXTRAS):
        for name, _ in _asked_for("stereokit", frozenset({extra})):
            needed.setdefault(name, []).append(extra)
    return needed


def _asked_for(distribution: str, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """Return the distributions, with their own extras, that a distribution asks for under any of some extras."""
    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return []
    asked = []
    for line in lines:
        requirement, _, marker = line.partition(";")
        match = re.match(r"\s*([\w.-]+)\s*(?:\[([^\]]*)\])?", requirement)
        under = re.search(r"""extra\s*==\s*['"]([^'"]+)""", marker)
        if match and (under[1] if under else "base") in extras:
            own = {part.strip() for part in (match[2] or "").split(",") if part.strip()}
            # One package is written in several ways: PEP 503 says which are the same.
            asked.append((re.sub(r"[-_.]+", "-", match[1]).lower(), frozenset({"base", *own})))
    return [(name, own) for name, own in asked if name != "stereokit"]


def _installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _check_package(name: str, extras: list[str]) -> tuple[Row, bool]:
    """Import a package in a child process and tell how that went."""
    version = _installed_version(name)
    state, detail = _probe(_MODULES.get(name, name.replace("-", "_"))) if version else ("missing", "")
    told = f"{version}{', ' if detail else ''}{detail}" if version else None
    fields: dict[str, Json] = {"what": "package", "name": name, "extras": ", ".join(extras)}
    return Row(DOCTOR_SCHEMA, {**fields, "state": state, "detail": told}), state == "ok"


def _probe(module: str) -> tuple[str, str]:
    """Import a module in a child process; return ok, broken or hangs, and what it said."""
    try:
        probe = subprocess.run(  # noqa: S603 - this interpreter, a fixed program
            [sys.executable, "-c", _PROBE, module],
            capture_output=True,
            text=True,
            check=False,
            timeout=_IMPORT_LIMIT_S,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return "hangs", f"no end after {_IMPORT_LIMIT_S} s"
    if probe.returncode:
        return "broken", (probe.stderr.strip().splitlines() or [f"died with status {probe.returncode}"])[-1]
    facts = json.loads(probe.stdout.strip().splitlines()[-1])
    return "ok", ", ".join(f"{key} {value}" for key, value in facts.items())


def _licence_rows(needed: Iterable[str]) -> Events:
    """Yield the licence of every installed distribution that stereokit asks for, directly or through others."""
    pending = [("stereokit", frozenset({"base", *_EXTRAS})), *((name, frozenset({"base"})) for name in needed)]
    seen: set[tuple[str, frozenset[str]]] = set()
    told: set[str] = set()
    while pending:
        name, extras = pending.pop(0)
        if (name, extras) in seen or _installed_version(name) is None:
            continue
        seen.add((name, extras))
        pending += _asked_for(name, extras)
        if name in told:
            continue
        told.add(name)
        about = metadata.metadata(name)
        licence = _first(about, "License-Expression") or _classified(about.get_all("Classifier") or [])
        licence = licence or (_first(about, "License") or "not stated").strip().splitlines()[0]
        yield Row(LICENCE_SCHEMA, {"name": name, "version": about["Version"], "licence": licence})
    spec = util.find_spec("pretty_midi")
    if spec is not None and spec.origin and (Path(spec.origin).parent / Path(_SOUNDFONT).name).exists():
        yield Row(LICENCE_SCHEMA, {"name": _SOUNDFONT, "version": None, "licence": _SOUNDFONT_LICENCE})
    return Status.DONE


def _first(about: metadata.PackageMetadata, field: str) -> str:
    return str((about.get_all(field) or [""])[0])


def _classified(classifiers: list[str]) -> str:
    prefix = "License :: "
    return ", ".join(one.rsplit(" :: ", 1)[-1] for one in classifiers if one.startswith(prefix))
