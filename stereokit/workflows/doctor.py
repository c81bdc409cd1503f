"""``stereokit doctor``: what is installed, what is missing, and what works."""

import json
import platform
import subprocess
import sys
from importlib import metadata, util
from pathlib import Path

from stereokit import __version__
from stereokit.data.workers import available_jobs
from stereokit.errors import Status
from stereokit.workflows.events import Events, Json, Message, Row

DOCTOR_SCHEMA = "stereokit.doctor/1"
LICENCE_SCHEMA = "stereokit.licence/1"

# Distribution -> the module that it brings. What each extra needs is read from the installed metadata.
_MODULES = {
    "dask": "distributed",
    "lightning-fabric": "lightning_fabric",
    "pretty_midi": "pretty_midi",
    "pretty-midi": "pretty_midi",
    "scikit-learn": "sklearn",
    "umap-learn": "umap",
}
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
    for name, extras in needed.items():
        row, works = _check_package(name, extras)
        yield row
        if not works and "base" in extras:
            broken.append(name)
    for extra in _EXTRAS:
        lacking = [name for name, extras in needed.items() if extra in extras and not _is_installed(name)]
        if lacking:
            yield Message(f"extra {extra} lacks {', '.join(lacking)}: pip install 'stereokit[{extra}]'")
    if broken:
        yield Message(f"the base installation lacks {', '.join(broken)}: pip install stereokit", is_warning=True)
        return Status.MISSING
    return Status.DONE


def _requirements() -> dict[str, list[str]]:
    """Return each required distribution with the extras that need it (``base`` for none)."""
    needed: dict[str, list[str]] = {}
    for line in metadata.requires("stereokit") or ():
        requirement, _, marker = line.partition(";")
        name = requirement.split("[")[0]
        for sign in "<>=!~ ":
            name = name.split(sign)[0]
        extra = marker.partition("extra ==")[2].strip().strip("'\"") if "extra" in marker else "base"
        if name != "stereokit" and extra in ("base", *_EXTRAS):
            needed.setdefault(name, []).append(extra)
    return needed


def _is_installed(name: str) -> bool:
    module = _MODULES.get(name, name.replace("-", "_"))
    return util.find_spec(module) is not None


def _check_package(name: str, extras: list[str]) -> tuple[Row, bool]:
    """Import a package in a child process and tell how that went."""
    facts: dict[str, Json] = {"what": "package", "name": name, "extras": ", ".join(extras)}
    if not _is_installed(name):
        return Row(DOCTOR_SCHEMA, {**facts, "state": "missing", "detail": None}), False
    version = metadata.version(name)
    module = _MODULES.get(name, name.replace("-", "_"))
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
        return Row(DOCTOR_SCHEMA, {**facts, "state": "hangs", "detail": version}), False
    if probe.returncode:
        last = (probe.stderr.strip().splitlines() or [f"died with status {probe.returncode}"])[-1]
        return Row(DOCTOR_SCHEMA, {**facts, "state": "broken", "detail": f"{version}: {last}"}), False
    found = json.loads(probe.stdout.strip().splitlines()[-1])
    detail = ", ".join([version, *(f"{key} {value}" for key, value in found.items())])
    return Row(DOCTOR_SCHEMA, {**facts, "state": "ok", "detail": detail}), True


def _licence_rows(needed: dict[str, list[str]]) -> Events:
    for name in ("stereokit", *needed):
        try:
            about = metadata.metadata(name)
        except metadata.PackageNotFoundError:
            continue
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
