"""``pictures-statistics`` of drum-classifier: what its two halves learn, and what leaves them alone."""

from dataclasses import replace

import pytest
import torch

from stereokit.errors import UsageError
from stereokit.models.drum_classifier._best import FromPicturesAndStatistics
from stereokit.models.drum_classifier._picture_variation import mixed_pictures, varied_pictures
from stereokit.models.drum_classifier.config import PRESETS
from stereokit.models.drum_classifier.model import Model
from stereokit.representations._drum_pictures import DrumPictures
from stereokit.training.draw import Draw
from stereokit.training.turn import Batch

CONFIG = replace(
    PRESETS["best"], sample_rate=16_000, seconds=0.2, labels=("hat", "kick"), label_counts=(4, 4), width=8, hidden=16,
    synthetic=0, batch=8, dropout=0.0,
)  # fmt: skip
LABELS = torch.arange(8) % 2


def drums() -> torch.Tensor:
    """Return eight clips: short noises (label 0) and low tones (label 1) by turns."""
    time = torch.arange(CONFIG.frames) / CONFIG.sample_rate
    noise = torch.randn(8, 2, CONFIG.frames, generator=torch.Generator().manual_seed(1)) * torch.exp(-time / 0.02)
    tones = torch.stack(
        [torch.sin(6.28 * (50.0 + 5.0 * number) * time) * torch.exp(-time / 0.1) for number in range(8)]
    )
    return torch.where((LABELS == 0)[:, None, None], noise, tones[:, None].expand(-1, 2, -1))


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    made = Model(CONFIG)
    made.adapt(iter(drums().split(3)), Draw((0, "adapt"), range(4)), LABELS)
    return made


def test_the_machine_knows_its_training_clips_before_the_first_step(model: Model) -> None:
    net = model.net
    assert isinstance(net, FromPicturesAndStatistics)
    _, logits = net.views(drums())
    assert logits.argmax(1).tolist() == LABELS.tolist()


def test_a_step_changes_the_network_and_not_the_machine(model: Model) -> None:
    [turn] = model.turns()
    assert all(not name.startswith("machine") for name, _ in model.net.named_parameters())
    model.zero_grad()
    losses = turn.losses(Batch(drums(), LABELS), Draw((0,), range(8)))
    losses["cross_entropy"].backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in turn.parameters())


def test_probabilities_are_the_mean_of_both(model: Model) -> None:
    model.eval()
    with torch.no_grad():
        told = model.label(drums())
        pictures, own = model.net.views(drums() / drums().abs().amax((1, 2), keepdim=True))
        network = model.net.learn(pictures)
        assert torch.allclose(told, (network.softmax(1) + own.softmax(1)) / 2.0, atol=1e-5)


def test_synthesised_drums_are_known_of_the_labels_that_can_be_made() -> None:
    machines = []
    for labels in (("bell", "kick"), ("bell", "gong")):
        config = replace(CONFIG, labels=labels, synthetic=40)
        made = Model(config)
        made.adapt(iter([drums()]), Draw((0, "adapt"), range(4)), LABELS)
        machines.append(made.net)
    first, second = machines
    assert isinstance(first, FromPicturesAndStatistics)
    assert isinstance(second, FromPicturesAndStatistics)
    assert len(first.machine.anchors) == 48
    assert len(second.machine.anchors) == 8
    # kicks that nobody recorded lean to their label
    assert float(first.machine.shares[1]) > 0.5


def test_tape_speed_moves_a_picture_along_both_axes_as_it_does_a_sound() -> None:
    axes = DrumPictures(sample_rate=44_100, frames=44_100)
    time = torch.arange(44_100) / 44_100

    def seen(octaves: float) -> torch.Tensor:
        moment = time * 2.0**octaves
        wave = torch.sin(6.2832 * 400.0 * moment) * torch.exp(-moment / 0.05)
        return axes(axes.powers(axes.aligned(wave.expand(1, 2, -1))))

    slow = seen(-0.4)
    rows = [int(seen(octaves)[0, 2, :, 30].argmax()) for octaves in (-0.4, 0.4)]
    assert rows[1] - rows[0] == pytest.approx(0.8 * 8.35, abs=1.0)
    varied = varied_pictures(slow.expand(64, -1, -1, -1), axes, Draw((0,), range(64)))
    moved = (varied[:, 2, :, 30].argmax(1) - rows[0]).float()
    # all but those whose tone colour has another peak
    assert float(moved.abs().quantile(0.8)) <= 0.45 * 8.35 + 1.0
    assert len(moved.unique()) > 4


def test_varied_pictures_stay_levels_and_follow_from_the_draw() -> None:
    axes = DrumPictures(sample_rate=44_100, frames=8_820)
    pictures = -80.0 * torch.rand(6, 3, 80, 48, generator=torch.Generator().manual_seed(2))
    one, again = (varied_pictures(pictures, axes, Draw((1,), range(6))) for _ in range(2))
    assert torch.equal(one, again)
    assert one.isfinite().all()
    assert float(one.max()) <= 0.0
    assert float(one.min()) >= -80.0
    single = varied_pictures(pictures[3:4], axes, Draw((1,), [3]))
    assert torch.allclose(single, one[3:4], atol=1e-3)


def test_mixed_pictures_lie_between_two_and_their_truth_with_them() -> None:
    pictures = torch.stack([torch.full((3, 80, 48), -60.0), torch.full((3, 80, 48), -20.0)])
    truth = torch.eye(2)
    mixed, told = mixed_pictures(pictures, truth, Draw((0,), range(2)), share=1.0)
    assert torch.allclose(told.sum(1), torch.ones(2))
    assert torch.all(told.diagonal() >= 0.5)
    assert -60.0 < float(mixed[0].mean()) < -20.0
    same, kept = mixed_pictures(pictures, truth, Draw((0,), range(2)), share=0.0)
    assert torch.allclose(same, pictures, atol=1e-3)
    assert torch.equal(kept, truth)


@pytest.mark.parametrize("odd", [{"seconds": 0.05}, {"sample_rate": 4_000}])
def test_a_clip_too_short_or_too_coarse_is_refused(odd: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=r"pictures-statistics needs 0\.1 s at 8000 Hz"):
        replace(CONFIG, **odd)  # type: ignore[arg-type]
