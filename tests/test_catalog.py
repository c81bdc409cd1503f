"""The catalogue: names read from files, entries imported only when asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from stereokit import catalog
from stereokit.errors import UsageError


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty room of the kind ``thing``."""
    folder = tmp_path / "made_up_room" / "things"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(catalog, "__file__", str(folder.parent / "catalog.py"))
    monkeypatch.setitem(catalog._ROOMS, "thing", ("made_up_room.things", "THING"))
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "made_up_room"]:
        del sys.modules[name]
    catalog.load.cache_clear()


def test_a_module_and_a_folder_put_into_a_room_are_listed_sorted_and_with_hyphens(room: Path):
    (room / "warm_glow.py").write_text("THING = 1")
    (room / "bright").mkdir()
    (room / "bright" / "__init__.py").write_text("THING = 2")
    assert catalog.names("thing") == ["bright", "warm-glow"]
    assert catalog.load("thing", "warm-glow") == 1
    assert catalog.load("thing", "bright") == 2


def test_private_modules_other_files_and_folders_without_code_are_no_entries(room: Path):
    (room / "_private.py").touch()
    (room / "notes.txt").touch()
    (room / "empty_folder").mkdir()
    (room / "__pycache__").mkdir()
    assert catalog.names("thing") == []


def test_listing_runs_no_entry(room: Path):
    (room / "broken.py").write_text("raise SystemExit('imported')")
    assert catalog.names("thing") == ["broken"]


def test_an_entry_is_imported_once(room: Path):
    (room / "fresh.py").write_text("THING = object()")
    assert catalog.load("thing", "fresh") is catalog.load("thing", "fresh")


def test_a_room_that_is_not_built_yet_holds_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(catalog._ROOMS, "thing", ("stereokit.no_such_room", "THING"))
    assert catalog.names("thing") == []
    with pytest.raises(UsageError, match="none yet"):
        catalog.load("thing", "anything")


@pytest.mark.parametrize("name", ["nonsense", "", "l1.py", "../errors", "__init__", "L1", "_private"])
def test_an_unknown_name_is_refused_naming_what_there_is(name: str):
    with pytest.raises(UsageError, match=r"unknown distance .*: choose from emd, l1, l2"):
        catalog.load("distance", name)


def test_an_unknown_kind_is_a_mistake_in_the_program():
    with pytest.raises(KeyError):
        catalog.names("nonsense")


def test_the_catalogue_lists_the_metrics_of_the_package():
    assert catalog.names("distance") == ["emd", "l1", "l2"]
    assert {"mmd", "cov", "nna"} <= set(catalog.names("score"))
    assert {"pca-angle", "stsd"} <= set(catalog.names("feature"))
    assert {"brute", "tree"} <= set(catalog.names("search"))


def test_listing_every_kind_imports_neither_numpy_nor_any_room():
    program = (
        "import sys; from stereokit import catalog; [catalog.names(kind) for kind in catalog.KINDS];"
        "print(sorted(name for name in sys.modules if name.startswith(('stereokit', 'numpy', 'numba', 'torch'))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['stereokit', 'stereokit.catalog', 'stereokit.errors']"
