"""Which device, how many, in which precision: what is not there is refused in one line."""

import pytest
import torch
from torch import nn

from stereokit.errors import MissingError, UsageError
from stereokit.training import device as device_module
from stereokit.training.device import choose_device, compile_modules, make_fabric


@pytest.fixture(autouse=True)
def _threads() -> None:
    """Threads are the process's own matter, not the next test's."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("cuda", "mps", "best"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_auto_takes_the_fastest_that_is_there(
    monkeypatch: pytest.MonkeyPatch, cuda: object, mps: object, best: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto") == best
    assert choose_device("cpu") == "cpu"


def test_a_device_that_is_not_there_is_missing_and_a_wrong_name_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MissingError, match="finds none here; usable: cpu"):
        choose_device("cuda")
    with pytest.raises(UsageError, match="choose from auto, cpu, cuda, mps"):
        choose_device("tpu")


@pytest.mark.parametrize(
    ("device", "devices", "precision", "error", "said"),
    [
        ("cpu", 1, "16-mixed", UsageError, "float16 loses small gradients"),
        ("cuda", 1, "16-true", UsageError, "float16 loses small gradients"),
        ("cpu", 1, "7", UsageError, "choose from 32-true"),
        ("mps", 1, "64-true", UsageError, "mps has no float64"),
        ("mps", 2, "32-true", UsageError, "mps is one device"),
        ("cuda", 99, "32-true", MissingError, "this machine has"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(
    device: str, devices: int, precision: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        make_fabric(device, devices=devices, precision=precision)


def test_bfloat16_is_opened_by_the_fabrics_own_context() -> None:
    fabric = make_fabric("cpu", devices=1, precision="bf16-mixed")
    layer = nn.Linear(2, 2)
    with fabric.autocast():
        assert layer(torch.ones(1, 2)).dtype is torch.bfloat16


def test_several_ranks_take_one_thread_each() -> None:
    make_fabric("cpu", devices=2, precision="32-true")
    assert torch.get_num_threads() == 1


def test_what_cannot_compile_is_missing_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(numbers: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("No working C++ compiler found\nand a page more")

    monkeypatch.setattr(torch, "compile", lambda function: fail)
    with pytest.raises(
        MissingError, match=r"needs a C\+\+ compiler .* \(torch says: No working C\+\+ compiler found\)"
    ):
        compile_modules({"layer": nn.Linear(2, 2)})


# torch warns of itself.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.slow
def test_a_compiled_module_computes_the_same() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    before = module(torch.ones(2, 3))
    compile_modules({"module": module})
    torch.testing.assert_close(module(torch.ones(2, 3)), before)
    assert device_module.available_threads() >= 1
