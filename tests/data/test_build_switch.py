"""Steps to a new content stay inside their folder, whatever a catalogue says."""

from pathlib import Path

import pytest

from stereokit.data.build_switch import MOVE, REMOVE, do_steps
from stereokit.data.catalogue import DamagedCatalogueError
from stereokit.data.records import Step


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set" / "new").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.wav").write_bytes(b"mine")
    return tmp_path / "set"


def test_files_are_moved_and_removed_and_a_second_time_changes_nothing(folder: Path) -> None:
    (folder / "new" / "a.wav").write_bytes(b"a")
    (folder / "old.wav").write_bytes(b"old")
    steps = [Step(MOVE, "new/a.wav", "train/a.wav"), Step(REMOVE, "", "old.wav")]
    for _ in range(2):
        do_steps(folder, steps)
        assert (folder / "train" / "a.wav").read_bytes() == b"a"
        assert not (folder / "old.wav").exists()


@pytest.mark.parametrize("name", ["link/mine.wav", "../elsewhere/mine.wav", "new/../../elsewhere/mine.wav", "new/.."])
def test_a_step_that_leads_out_of_the_folder_is_refused(folder: Path, name: str) -> None:
    (folder / "link").symlink_to(folder.parent / "elsewhere")
    (folder / "new" / "a.wav").write_bytes(b"a")
    for step in (Step(REMOVE, "", name), Step(MOVE, name, "train/a.wav"), Step(MOVE, "new/a.wav", name)):
        with pytest.raises(DamagedCatalogueError):
            do_steps(folder, [step])
    assert (folder.parent / "elsewhere" / "mine.wav").read_bytes() == b"mine"
    assert (folder / "new" / "a.wav").exists()


def test_of_a_link_in_place_of_a_file_the_link_is_what_goes(folder: Path) -> None:
    (folder / "new" / "a.wav").symlink_to(folder.parent / "elsewhere" / "mine.wav")
    do_steps(folder, [Step(REMOVE, "", "new/a.wav")])
    assert not (folder / "new" / "a.wav").is_symlink()
    assert (folder.parent / "elsewhere" / "mine.wav").read_bytes() == b"mine"
