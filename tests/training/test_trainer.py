"""The training loop on a toy adversarial model: known answers, resuming, ranks, and what must stop it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from stereokit.errors import BadInputError, Status
from stereokit.training.checkpoint import read_tensors, start_run
from stereokit.training.draw import Draw
from stereokit.training.resume import restore_training, save_training
from stereokit.training.settings import TrainingSettings
from stereokit.training.state import Choice
from stereokit.training.trainer import Model, NonFiniteError, Trainer
from stereokit.training.turn import Batch, Turn


class Toy(Model):
    """A generator with batch norm and dropout against a critic; ``plain`` leaves both out."""

    def __init__(self, *, plain: bool = False, spoil_at: int = -1) -> None:
        super().__init__()
        extra = [] if plain else [nn.BatchNorm1d(8), nn.Dropout(0.2)]
        self.generator = nn.Sequential(nn.Linear(3, 8), *extra, nn.Tanh(), nn.Linear(8, 4))
        self.critic = nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
        self.spoil_at = spoil_at
        self.calls = 0

    def fake(self, draw: Draw) -> torch.Tensor:
        return self.generator(draw.normal(3).to(next(self.parameters()).dtype))

    def critic_losses(self, batch: Batch, draw: Draw) -> dict[str, torch.Tensor]:
        real = batch.clips.flatten(1).to(next(self.parameters()).dtype)
        return {"real": -self.critic(real).mean(), "fake": self.critic(self.fake(draw).detach()).mean()}

    def generator_losses(self, batch: Batch, draw: Draw) -> dict[str, torch.Tensor]:
        self.calls += 1
        scale = float("nan") if self.calls == self.spoil_at else 1.0
        return {"critic": -self.critic(self.fake(draw)).mean() * scale}

    def turns(self) -> list[Turn]:
        def adam(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
            return torch.optim.Adam(parameters, 1e-2, betas=(0.0, 0.9))

        return [
            Turn("critic", (self.critic,), self.critic_losses, adam, repeats=2),
            Turn("generator", (self.generator,), self.generator_losses, adam, active=(0.2, 1.0)),
        ]

    def forward_statistics(self, batch: Batch, draw: Draw) -> object:
        return self.fake(draw)


def load(first: int, count: int) -> Batch:
    items = torch.arange(first, first + count) % 23
    return Batch(torch.sin(items[:, None, None] * torch.tensor([[1.0, 2.0], [3.0, 4.0]])))


def make(steps: int = 10, **options: object) -> Trainer:
    torch.manual_seed(0)
    model = Toy(**{name: options.pop(name) for name in ("plain", "spoil_at") if name in options})
    return Trainer(model, load, TrainingSettings(steps=steps, batch=4, **options), Fabric(accelerator="cpu", devices=1))


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    live = {f"live/{name}": tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    return live | {f"average/{name}": tensor.clone() for name, tensor in trainer.average.model.state_dict().items()}


def assert_equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def test_a_model_hears_before_each_step_how_far_the_training_is() -> None:
    trainer = make(steps=4)
    heard: list[float] = []
    trainer.model.advance = heard.append  # type: ignore[method-assign]
    told = [(step.number, len(heard)) for step in trainer.run()]
    assert told == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert heard == [0.0, 0.25, 0.5, 0.75]


def test_each_step_takes_every_active_turn_and_reports_its_losses() -> None:
    steps = list(make().run())
    assert [step.number for step in steps] == list(range(1, 11))
    assert set(steps[0].losses) == set(steps[1].losses) == {"critic/real", "critic/fake"}
    assert set(steps[2].losses) == {"critic/real", "critic/fake", "generator/critic"}


def test_only_the_players_of_a_turn_learn_in_it() -> None:
    trainer = make(steps=20)
    before = weights(trainer)
    next(iter(trainer.run()))
    after = weights(trainer)
    moved = {name for name in before if name.startswith("live/") and not torch.equal(before[name], after[name])}
    assert moved
    assert all("critic" in name or "num_batches" in name or "running" in name for name in moved)
    assert all(parameter.requires_grad for parameter in trainer.model.parameters())


def test_ten_steps_are_five_saved_and_five_resumed_bit_for_bit(tmp_path: Path) -> None:
    whole = make()
    list(whole.run())
    first = make()
    for step in first.run():
        if step.number == 5:
            break
    # Refreshing what is sampled must not disturb what is trained.
    start_run(tmp_path, {})
    save_training(first, tmp_path, Choice())
    second = make()
    restore_training(second, tmp_path)
    list(second.run())
    assert second.step == 10
    assert_equal(weights(whole), weights(second))


def test_sampling_between_steps_changes_no_weight() -> None:
    plain, sampled = make(), make()
    list(plain.run())
    for _ in sampled.run():
        torch.rand(7)
        buffers = {name: tensor.clone() for name, tensor in sampled.average.model.named_buffers()}
        sampled.refresh_statistics()
        for name, tensor in sampled.average.model.named_buffers():
            tensor.copy_(buffers[name])
    assert_equal(weights(plain), weights(sampled))


def test_statistics_of_the_average_are_its_own_and_not_the_live_ones() -> None:
    trainer = make(steps=30, ema_decay=0.99)
    list(trainer.run())
    trainer.refresh_statistics()
    averaged = trainer.average.model
    draws = [Draw((0, "statistics"), range(4 * n, 4 * n + 4)).normal(3) for n in range(64)]
    with torch.no_grad():
        hidden = torch.stack([averaged.generator[0](draw).mean(0) for draw in draws]).mean(0)
    torch.testing.assert_close(averaged.generator[1].running_mean, hidden)


def test_accumulated_parts_equal_one_large_batch() -> None:
    torch.manual_seed(0)
    small = make(steps=4, plain=True, accumulate=3)
    list(small.run())
    torch.manual_seed(0)
    settings = TrainingSettings(steps=4, batch=12)
    large = Trainer(Toy(plain=True), load, settings, Fabric(accelerator="cpu", devices=1))
    large.model.load_state_dict(make(plain=True).model.state_dict())
    list(large.run())
    for one, other in zip(small.model.parameters(), large.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_a_loss_that_is_not_finite_stops_with_its_name_and_step() -> None:
    trainer = make(steps=20, spoil_at=3)
    with pytest.raises(NonFiniteError, match="generator/critic is nan in step 7"):
        list(trainer.run())
    assert all(torch.isfinite(tensor).all() for tensor in weights(trainer).values())


def test_a_request_to_stop_ends_after_the_step_that_runs() -> None:
    trainer = make()
    done = [step.number for step in trainer.run(lambda: Status.TERMINATED if trainer.step == 3 else None)]
    assert done == [1, 2, 3]
    assert trainer.ended_by is Status.TERMINATED


def test_a_schedule_multiplies_each_groups_own_rate_and_follows_the_turns_own_span(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two_rates(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD([{"params": parameters[:1], "lr": 0.5}, {"params": parameters[1:]}], 0.25)

    turns = Toy.turns

    def scheduled(self: Toy) -> list[Turn]:
        critic, generator = turns(self)
        generator = replace(generator, optimiser=two_rates, active=(0.2, 0.7), schedule=lambda own: 1.0 - own)
        return [critic, generator]

    monkeypatch.setattr(Toy, "turns", scheduled)
    first = make()
    rates = []
    for step in first.run():
        rates.append([group["lr"] for group in first.optimisers["generator"].param_groups])
        if step.number == 5:
            start_run(tmp_path, {})
            save_training(first, tmp_path, Choice())
    second = make()
    restore_training(second, tmp_path)
    resumed = [[group["lr"] for group in second.optimisers["generator"].param_groups] for _ in second.run()]
    # Its own progress is 0, 0.2 ... 0.8 in the steps that begin at 0.2 to 0.6 of the whole.
    wanted = [1.0, 1.0, 1.0, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2, 0.2]
    assert rates == [[pytest.approx(0.5 * factor), pytest.approx(0.25 * factor)] for factor in wanted]
    assert resumed == rates[5:]


def test_seconds_end_a_training_and_give_its_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("stereokit.training.trainer.time.monotonic", lambda: now[0])
    trainer = make(steps=None, seconds=60.0)
    seen = []
    for step in trainer.run():
        seen.append((step.number, set(step.losses) - {"critic/real", "critic/fake"}))
        now[0] += 10.0
    # The generator begins at a fifth of the time: its first step begins at 20 s.
    assert [bool(more) for _, more in seen] == [False, False, True, True, True, True]
    assert trainer.elapsed == 60.0


def test_a_training_in_float64_goes_on_in_it_and_saves_its_model_in_float32(tmp_path: Path) -> None:
    trainer = make(steps=2, is_double=True)
    list(trainer.run())
    start_run(tmp_path, {})
    save_training(trainer, tmp_path, Choice())
    assert {tensor.dtype for tensor in trainer.model.parameters()} == {torch.float64}
    saved = read_tensors(tmp_path / "model.safetensors")
    assert {name: tensor.dtype for name, tensor in saved.items()} == trainer.dtypes
    again = make(steps=2, is_double=True)
    restore_training(again, tmp_path)
    assert_equal(weights(again), weights(trainer))


def test_only_the_files_of_the_last_and_of_the_chosen_step_are_kept(tmp_path: Path) -> None:
    trainer = make()
    start_run(tmp_path, {})
    choice = Choice()
    for step in trainer.run():
        if step.number == 4:
            choice = choice.after(4, 1.0, {"mmd": 1.0})
        save_training(trainer, tmp_path, choice)
    names = {path.name for path in (tmp_path / "training").iterdir()}
    last = {f"{kind}-000010.safetensors" for kind in ("live", "average", "optimisers")}
    assert names == last | {"average-000004.safetensors", "state.json"}
    assert restore_training(make(), tmp_path) == choice


def test_of_equal_scores_the_earlier_is_chosen_and_the_others_are_counted() -> None:
    choice = Choice().after(2, 3.0, {"mmd": 3.0}).after(4, 1.0, {"mmd": 1.0}).after(6, 1.0, {}).after(8, 2.0, {})
    assert choice == Choice(4, 1.0, 2, {"mmd": 1.0})


@pytest.mark.parametrize(
    "changes",
    [
        {"step": -1},
        {"step": "1"},
        {"elapsed_s": None},
        {"updates": 1.5},
        {"chosen": []},
        {"chosen": {"step": 1, "score": "low", "waited": 0, "figures": {}}},
        {"chosen": {"step": 1, "score": 1.0, "waited": 0, "figures": {"mmd": "low"}}},
        {"schema": "stereokit.training/1"},
        {"optimisers": {}},
        {"optimisers": {"critic": {}, "generator": {}}},
    ],
)
def test_a_state_that_was_changed_is_refused_in_one_line(tmp_path: Path, changes: dict[str, object]) -> None:
    trainer = make()
    next(iter(trainer.run()))
    start_run(tmp_path, {})
    save_training(trainer, tmp_path, Choice())
    path = tmp_path / "training" / "state.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(BadInputError, match=r"state\.json") as caught:
        restore_training(make(), tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["state.json", "live-000001.safetensors", "average-000001.safetensors", "optimisers-000001.safetensors"]
)
def test_a_damaged_run_is_refused_by_the_file_and_changes_nothing(tmp_path: Path, name: str) -> None:
    trainer = make()
    next(iter(trainer.run()))
    start_run(tmp_path, {})
    save_training(trainer, tmp_path, Choice())
    path = tmp_path / "training" / name
    data = path.read_bytes()
    for damaged in (b"", data[: len(data) // 2], b"\x80\x04cos\nsystem\n", b"\xff" * 64):
        path.write_bytes(damaged)
        with pytest.raises(BadInputError, match=name):
            restore_training(make(), tmp_path)


def test_files_of_different_steps_are_not_mixed(tmp_path: Path) -> None:
    trainer = make()
    start_run(tmp_path, {})
    steps = trainer.run()
    next(steps)
    save_training(trainer, tmp_path, Choice())
    old = (tmp_path / "training" / "live-000001.safetensors").read_bytes()
    next(steps)
    save_training(trainer, tmp_path, Choice())
    (tmp_path / "training" / "live-000002.safetensors").write_bytes(old)
    with pytest.raises(BadInputError, match="not of one"):
        restore_training(make(), tmp_path)


TWO_RANKS = """
import json, os, pathlib, sys, torch
sys.path.insert(0, sys.argv[1])
from test_trainer import Toy, load
from lightning_fabric import Fabric
from stereokit.training.ranks import end_ranks
from stereokit.errors import BadInputError, Status, StereokitError
from stereokit.training.settings import TrainingSettings
from stereokit.training.state import Choice
from stereokit.training.trainer import Trainer
torch.set_num_threads(1)
ranks = int(sys.argv[2])
fabric = Fabric(accelerator="cpu", devices=ranks, strategy="ddp" if ranks > 1 else "auto")
fabric.launch()
torch.manual_seed(fabric.global_rank)
model = Toy(plain=sys.argv[3] == "plain").double()
if ranks == 1:
    torch.manual_seed(0)
    model = Toy(plain=True).double()
trainer = Trainer(model, load, TrainingSettings(steps=6, batch=8 // ranks), fabric)

def load_or_not(first, count):
    if trainer.step == 3 and sys.argv[4] == "fail":
        raise BadInputError("ds/a.wav: is gone")
    if trainer.step == 3 and sys.argv[4] == "die":
        os._exit(9)
    return load(first, count)

if fabric.global_rank == 1:
    model.spoil_at = 3 if sys.argv[4] == "nan" else -1
    trainer._load = load_or_not
due = lambda: trainer.step == 4 and fabric.global_rank == ranks - 1 and sys.argv[4] == "stop"
stop = lambda: Status.INTERRUPTED if due() else None
told, status = "", 0
try:
    list(trainer.run(stop))
except StereokitError as error:
    told, status = str(error), int(error.status)
values = [float(p.detach().sum()) for p in trainer.model.parameters()]
# A file a rank: lines of two processes on one pipe may run into each other.
found = [trainer.step, values, told, status, trainer.ended_by]
pathlib.Path(sys.argv[5], f"{fabric.global_rank}.json").write_text(json.dumps(found))
end_ranks(fabric, should_wait=not told)
"""


def ranks(tmp_path: Path, count: int, kind: str = "plain", stop: str = "go") -> dict[int, tuple[Any, ...]]:
    script = tmp_path / "train.py"
    script.write_text(TWO_RANKS)
    folder = tmp_path / f"{count}-{kind}-{stop}"
    folder.mkdir()
    words = [sys.executable, script, str(Path(__file__).parent), str(count), kind, stop, folder]
    result = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert stop == "die" or result.returncode == 0, result.stderr
    return {int(path.stem): tuple(json.loads(path.read_text())) for path in folder.iterdir()}


@pytest.mark.slow
def test_two_ranks_train_as_one_with_the_doubled_batch(tmp_path: Path) -> None:
    one, two = ranks(tmp_path, 1), ranks(tmp_path, 2)
    assert two.keys() == {0, 1}
    assert two[0] == two[1]
    assert two[0][1] == pytest.approx(one[0][1], abs=1e-6)


@pytest.mark.slow
def test_ranks_agree_on_the_weights_whatever_the_batch_statistics(tmp_path: Path) -> None:
    two = ranks(tmp_path, 2, kind="norms")
    assert two[0][1] == two[1][1]


@pytest.mark.slow
def test_a_stop_asked_of_one_rank_stops_all_after_the_same_step(tmp_path: Path) -> None:
    two = ranks(tmp_path, 2, stop="stop")
    assert two[0][0] == two[1][0] == 4
    assert two[0][4] == two[1][4] == Status.INTERRUPTED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stop", "said", "status"),
    [
        # The generator begins in step 3 and is spoiled in its third.
        ("nan", "the loss generator/critic is nan in step 5", Status.NOTHING_DONE),
        ("fail", "ds/a.wav: is gone", Status.NOTHING_DONE),
    ],
)
def test_what_fails_on_one_rank_is_told_by_all(tmp_path: Path, stop: str, said: str, status: Status) -> None:
    two = ranks(tmp_path, 2, stop=stop)
    assert two[0][2] == two[1][2] == said
    assert two[0][3] == two[1][3] == status


@pytest.mark.slow
def test_a_rank_that_dies_leaves_no_other_waiting(tmp_path: Path) -> None:
    alone = ranks(tmp_path, 2, stop="die")
    assert alone.keys() == {0}
    assert "another process of this training ended" in alone[0][2]


def test_a_family_without_turns_cannot_be_built() -> None:
    with pytest.raises(TypeError, match="turns"):
        Model()


def test_a_turn_that_reads_no_data_loads_none_and_counts_no_items():
    class Inward(Toy):
        def turns(self) -> list[Turn]:
            critic, generator = super().turns()
            return [replace(critic, repeats=1), replace(generator, reads_data=False, repeats=3)]

    asked = []

    def load(first: int, count: int) -> Batch:
        asked.append((first, count))
        return Batch(torch.zeros(count, 2, 2))

    fabric = Fabric(accelerator="cpu", devices=1)
    trainer = Trainer(Inward(plain=True), load, TrainingSettings(steps=2, batch=4), fabric)
    assert [step.items for step in trainer.run()] == [4, 4]
    assert len(asked) == 2
