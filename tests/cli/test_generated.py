"""Man pages and completions are what the commands say, and work in their shells."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from stereokit.cli.app import app
from stereokit.cli.build_pages import generated_files
from stereokit.workflows.completion import SCRIPT_PLACES

ROOT = Path(__file__).parents[2]


def test_the_files_in_the_repository_are_the_generated_ones() -> None:
    there = {
        f"{folder}/{path.name}": path.read_text("utf-8")
        for folder in ("man", "completions")
        for path in (ROOT / folder).iterdir()
    }
    assert there == generated_files(), "stale: run python -m stereokit.cli.build_pages ."


def test_every_command_has_a_page_with_all_its_options() -> None:
    pages = generated_files()
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        page = pages[f"man/stereokit-{name.replace(' ', '-')}.1"].replace("\\-", "-")
        for param in command.params:
            for flag in param.opts if param.param_type_name == "option" else ():
                assert flag in page, f"{flag} is not in the page of {name}"
        for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"):
            assert f".SH {section}" in page


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_mandoc_finds_nothing_to_say_about_the_pages() -> None:
    pages = sorted(str(path) for path in (ROOT / "man").iterdir())
    result = subprocess.run(["mandoc", "-Tlint", *pages], capture_output=True, text=True, check=False)
    assert result.stdout + result.stderr == ""


@pytest.fixture
def shell_environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``stereokit`` is the one under test."""
    program = tmp_path / "stereokit"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m stereokit "$@"\n')
    program.chmod(0o755)
    python_path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": python_path, "HOME": str(tmp_path)}


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_commands_features_and_files(shell_environment: dict[str, str]) -> None:
    script = f"""
    source {ROOT}/completions/stereokit.bash
    COMP_WORDS=(stereokit sc) COMP_CWORD=1; _stereokit stereokit; echo "${{COMPREPLY[@]}}"
    COMP_WORDS=(stereokit score --feature pca) COMP_CWORD=3; _stereokit stereokit; echo "${{COMPREPLY[@]}}"
    COMP_WORDS=(stereokit list s) COMP_CWORD=2; _stereokit stereokit; echo "${{COMPREPLY[@]}}"
    complete -p stereokit
    """
    result = subprocess.run(
        ["bash", "--norc", "-c", script], capture_output=True, text=True, check=True, env=shell_environment
    )
    offered = result.stdout.splitlines()
    assert offered == [
        "score score listen",
        "pca-angle pca-ratio",
        "score synth",
        "complete -o default -F _stereokit stereokit",
    ]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_families_presets_and_runs(shell_environment: dict[str, str], tmp_path: Path) -> None:
    for name in ("runs/first", "runs/second", "here"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "config.json").touch()
    (tmp_path / "runs" / "other").mkdir()
    script = f"""
    source {ROOT}/completions/stereokit.bash
    COMP_WORDS=(stereokit train sample) COMP_CWORD=2; _stereokit stereokit; echo "${{COMPREPLY[@]}}"
    COMP_WORDS=(stereokit train sample-gan --preset pub) COMP_CWORD=4; _stereokit stereokit; echo "${{COMPREPLY[@]}}"
    COMP_WORDS=(stereokit generate runs/) COMP_CWORD=2; _stereokit stereokit; echo "${{COMPREPLY[@]}}"
    COMP_WORDS=(stereokit generate h) COMP_CWORD=2; _stereokit stereokit; echo "${{COMPREPLY[@]}}"
    COMP_WORDS=(stereokit generate nowhere/) COMP_CWORD=2; _stereokit stereokit; echo "${{COMPREPLY[@]}}"
    """
    result = subprocess.run(
        ["bash", "--norc", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=shell_environment,
        cwd=tmp_path,
    )
    offered = result.stdout.splitlines()
    assert offered == ["sample-gan", "published", "runs/first runs/second", "here", ""]


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_commands_and_features(shell_environment: dict[str, str]) -> None:
    asked = 'complete -C "stereokit sc"; complete -C "stereokit score --feature pca"'
    script = f"source {ROOT}/completions/stereokit.fish; {asked}"
    result = subprocess.run(["fish", "-c", script], capture_output=True, text=True, check=True, env=shell_environment)
    words = [line.split("\t")[0] for line in result.stdout.splitlines()]
    assert words == ["score", "score listen", "pca-angle", "pca-ratio"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_loads_the_function_and_offers_features(shell_environment: dict[str, str]) -> None:
    # Completion needs a line editor; the function's own answer is seen by standing in for what shows it.
    script = f"""
    fpath=({ROOT}/completions $fpath); autoload -Uz compinit; compinit -u -D
    echo $_comps[stereokit]
    _arguments() {{ print -r -- "$@" }}
    _describe() {{ print -r -- "$@" }}
    words=(stereokit score --feature pca) CURRENT=4
    source {ROOT}/completions/_stereokit
    _stereokit
    """
    result = subprocess.run(
        ["zsh", "-f", "-c", script], capture_output=True, text=True, check=True, env=shell_environment
    )
    assert result.stdout.split()[0] == "_stereokit"
    assert "pca-angle" in result.stdout
    assert "pca-ratio" in result.stdout


@pytest.mark.parametrize("shell", sorted(SCRIPT_PLACES))
def test_completion_prints_the_installed_script(run, shell: str) -> None:
    result = run("completion", shell)
    assert result.status == 0
    name = Path(SCRIPT_PLACES[shell]).name
    file = {"stereokit": "stereokit.bash"}.get(name, name)
    assert result.out == generated_files()[f"completions/{file}"]


def test_the_program_completes_while_typing_in_little_time(shell_environment: dict[str, str]) -> None:
    ask = {"COMP_WORDS": "stereokit prep --synth s", "COMP_CWORD": "3", "_STEREOKIT_COMPLETE": "complete_bash"}
    result = subprocess.run(["stereokit"], capture_output=True, text=True, check=False, env=shell_environment | ask)
    assert result.stdout.split() == ["stabs"]
