"""What the repository promises about itself."""

import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TWO_WORDS = (
    "label audit",
    "label map",
    "label predict",
    "label propagate",
    "label review",
    "prep verify",
    "score listen",
)
README = (ROOT / "README.md").read_text("utf-8")


def test_ci_runs_the_readmes_test_command_word_for_word() -> None:
    commands = [line for line in README.splitlines() if ".venv/bin/pytest" in line]
    assert len(commands) == 1
    assert commands[0] in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


def test_the_top_level_holds_only_what_it_may() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if not tracked:
        pytest.skip("not a git checkout")
    allowed = {"pyproject.toml", "README.md", "stereokit", "tests", "completions", "man"}
    allowed |= {"LICENSE", "CHANGELOG.md", ".gitignore", ".ci"}
    assert {path.split("/")[0] for path in tracked.splitlines()} <= allowed


def test_the_readme_names_each_status() -> None:
    from stereokit.errors import Status  # noqa: PLC0415 - the only test that needs it

    table = README.partition("## Exit statuses")[2].partition("##")[0]
    assert {int(number) for number in re.findall(r"\| (\d+) \|", table)} == {int(status) for status in Status}


@cache
def help_of(*command: str) -> str:
    words = [sys.executable, "-m", "stereokit", *command, "--help"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_every_command_line_of_the_readme_that_exists_is_understood() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    pattern = re.compile(r"stereokit (\w[\w-]*)((?: [^|&#]+)?)")
    seen = 0
    for line in lines:
        for command, words in pattern.findall(line):
            options = re.findall(r"--[a-z-]+", words)
            second = [word for word in words.split()[:1] if f"{command} {word}" in TWO_WORDS]
            shown = help_of(command, *second)
            assert all(option in shown for option in options), line
            seen += 1
    assert seen >= 5


def test_the_readmes_pipe_works_as_written(tmp_path: Path) -> None:
    line = next(line for line in README.splitlines() if line.startswith("stereokit prep --synth") and "|" in line)
    program = tmp_path / "stereokit"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m stereokit "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    result = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
    )
    assert result.returncode == 0, result.stderr
    assert '"cov"' in result.stdout


def test_the_base_needs_no_torch_and_the_extras_are_all_in_all() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert not any("torch" in line for line in project["dependencies"])
    assert project["optional-dependencies"]["all"] == ["stereokit[train,label,midi,plot,cluster]"]
