"""How much memory is left: the machine's figure, and the limits of containers and batch systems."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from stereokit.data.memory import available_bytes

GIB = 1 << 30


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    folder = tmp_path / "proc"
    (folder / "self").mkdir(parents=True)
    (folder / "meminfo").write_text(f"MemTotal: {64 << 20} kB\nMemAvailable:   {8 << 20} kB\n")
    return folder


def write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / name.replace("__", ".")).write_text(f"{value}\n")


def test_without_a_limit_it_is_what_the_machine_has_available(proc: Path, tmp_path: Path) -> None:
    (proc / "self" / "cgroup").write_text("0::/\n")
    write(tmp_path / "cgroup", memory__max="max", memory__current=5)
    assert available_bytes(proc, tmp_path / "cgroup") == 8 * GIB


def test_a_container_leaves_its_limit_less_what_is_used_and_not_mere_cache(proc: Path, tmp_path: Path) -> None:
    (proc / "self" / "cgroup").write_text("0::/a/path/of/the/host\n")
    stat = f"anon {GIB}\ninactive_file {GIB}\nactive_file 7"
    write(tmp_path / "cgroup", memory__max=4 * GIB, memory__current=2 * GIB, memory__stat=stat)
    assert available_bytes(proc, tmp_path / "cgroup") == 3 * GIB


def test_the_limit_of_a_job_above_this_process_counts(proc: Path, tmp_path: Path) -> None:
    (proc / "self" / "cgroup").write_text("0::/job/step/task\n")
    write(tmp_path / "cgroup" / "job", memory__max=2 * GIB, memory__current=GIB)
    write(tmp_path / "cgroup" / "job" / "step", memory__max="max", memory__current=GIB)
    assert available_bytes(proc, tmp_path / "cgroup") == GIB


def test_the_first_kind_of_control_groups_is_read_too(proc: Path, tmp_path: Path) -> None:
    (proc / "self" / "cgroup").write_text("5:cpu,cpuacct:/x\n4:memory:/job\n0::/\n")
    limits = {"memory__limit_in_bytes": 3 * GIB, "memory__usage_in_bytes": GIB}
    write(tmp_path / "cgroup" / "memory" / "job", **limits)
    assert available_bytes(proc, tmp_path / "cgroup") == 2 * GIB


def test_more_used_than_allowed_leaves_nothing(proc: Path, tmp_path: Path) -> None:
    (proc / "self" / "cgroup").write_text("0::/\n")
    write(tmp_path / "cgroup", memory__max=GIB, memory__current=2 * GIB)
    assert available_bytes(proc, tmp_path / "cgroup") == 0


def test_where_the_kernel_tells_nothing_the_whole_machine_counts(tmp_path: Path) -> None:
    assert available_bytes(tmp_path / "none", tmp_path / "none") > GIB // 4


def test_pages_that_are_freed_are_not_fetched_again() -> None:
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("needs glibc")
    program = """
import resource
import numpy as np
from stereokit.data.memory import keep_freed_memory
keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        [np.ones(1 << 17) for _ in range(4)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    # 20 times 4 MiB are 20,480 pages.
    assert int(done.stdout) < 1000
