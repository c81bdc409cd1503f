"""What is there, and what is missing."""

import subprocess
import sys

import pytest

from stereokit import catalog
from stereokit.workflows import doctor as doctor_module


def test_list_names_every_entry_with_a_summary(run) -> None:
    rows = run("list").rows
    assert {row["kind"] for row in rows} >= {"feature", "distance", "score", "synth"}
    for kind in ("feature", "distance", "score", "synth"):
        assert [row["name"] for row in rows if row["kind"] == kind] == catalog.names(kind)
    assert all(row["summary"] for row in rows)


def test_list_of_one_kind_names_only_that(run) -> None:
    assert {row["kind"] for row in run("list", "score").rows} == {"score"}


def test_list_tells_what_a_family_can_do(run) -> None:
    rows = run("list", "family").rows
    assert [row["name"] for row in rows] == catalog.names("family")
    for row in rows:
        family = catalog.load("family", row["name"])
        assert row["schema"] == "stereokit.list.family/1"
        assert row["presets"] == list(family.presets)
        assert (row["feed"], row["capabilities"]) == (family.feed, list(family.capabilities))


def test_families_have_a_table_of_their_own_below_the_others(run) -> None:
    out = run("list", terminal=True).out
    # cells may be broken into lines
    assert {"published,", "default,", "interpolator,"} <= set(out.split())
    assert ["kind", "name", "summary", "presets", "feed", "capabilities"] in [line.split() for line in out.splitlines()]


def test_list_needs_no_torch() -> None:
    program = "import sys; sys.modules['torch'] = None\nfrom stereokit.cli.start import main\nmain()"
    result = subprocess.run([sys.executable, "-c", program, "list"], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_on_a_terminal_list_is_a_table(run) -> None:
    out = run("list", "score", terminal=True).out
    assert out.splitlines()[0].split() == ["kind", "name", "summary"]
    assert "{" not in out


def test_doctor_reports_the_system_and_each_package_of_the_base(run, monkeypatch: pytest.MonkeyPatch) -> None:
    # Importing everything that the extras bring takes long.
    monkeypatch.setattr(doctor_module, "_EXTRAS", ())
    result = run("doctor")
    assert result.status == 0
    states = {row["name"]: row["state"] for row in result.rows}
    assert {"numpy", "numba", "soundfile", "soxr", "typer", "rich"} <= states.keys()
    assert all(states[name] == "ok" for name in ("numpy", "numba", "soundfile", "soxr", "typer", "rich"))
    sndfile = next(row for row in result.rows if row["name"] == "soundfile")
    assert "libsndfile 1." in sndfile["detail"]


def test_doctor_gives_status_5_and_the_command_when_the_base_lacks_a_package(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_module, "_requirements", lambda: {"no-such-package": ["base"], "nor-this": ["midi"]})
    result = run("doctor")
    assert result.status == 5
    assert "pip install stereokit" in result.err
    assert "pip install 'stereokit[midi]'" in result.err


def test_a_package_that_crashes_at_import_is_reported_and_takes_nothing_with_it(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_module, "_requirements", lambda: {"numpy": ["base"]})
    monkeypatch.setattr(doctor_module, "_PROBE", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    result = run("doctor")
    assert result.status == 5
    assert next(row for row in result.rows if row["name"] == "numpy")["state"] == "broken"


def test_licences_names_one_for_each_installed_package(run) -> None:
    rows = run("doctor", "--licences").rows
    assert {row["name"]: row["licence"] for row in rows}["stereokit"] == "MIT"
    assert all(row["licence"] for row in rows)
