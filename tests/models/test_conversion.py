"""Windows of sound through a converter."""

import numpy as np
import pytest
import torch
from toy_converter import EchoConfig, Model

from stereokit.models._conversion import conversion
from stereokit.training.trainer import NonFiniteError


def model_of(**changes: object) -> Model:
    return Model(EchoConfig(**changes)).eval()


def noise(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((count, 2, 50)).astype(np.float32)


@pytest.mark.parametrize("channels", ["stereo", "mid", "mid-side"])
def test_what_the_model_leaves_alone_comes_back(channels: str):
    windows = noise()
    np.testing.assert_allclose(conversion(model_of(), channels=channels)(windows), windows, atol=1e-6)


def test_silent_windows_are_not_asked_about_and_stay_silent():
    model, seen = model_of(), []

    def one_more(wave: torch.Tensor) -> torch.Tensor:
        seen.append(len(wave))
        return wave + 1.0

    model.convert = one_more
    windows = noise(4)
    windows[[0, 2]] = 0.0
    made = conversion(model)(windows)
    assert seen == [2]
    assert not made[[0, 2]].any()
    assert np.array_equal(made[1], windows[1] + 1.0)
    assert not conversion(model)(np.zeros((2, 2, 5), np.float32)).any()
    assert seen == [2]


def test_equal_channels_stay_equal_and_others_may_part():
    windows = noise()
    windows[0, 1] = windows[0, 0]
    made = conversion(model_of(kind="wide"))(windows)
    assert np.array_equal(made[0, 0], made[0, 1])
    assert np.array_equal(made[1:, 1], -windows[1:, 1])


def test_with_mid_alone_the_side_stays_as_it_was():
    windows = noise()
    made = conversion(model_of(gain=0.25), channels="mid")(windows)
    np.testing.assert_allclose(made[:, 0] - made[:, 1], windows[:, 0] - windows[:, 1], atol=1e-6)
    np.testing.assert_allclose(made.sum(axis=1), 0.25 * windows.sum(axis=1), atol=1e-6)


def test_mid_and_side_apart_are_each_a_sound_without_width():
    model, seen = model_of(), []
    model.convert = lambda wave: (seen.append(wave), wave)[1]
    conversion(model, channels="mid-side")(noise())
    assert len(seen) == 2
    assert all(torch.equal(wave[:, 0], wave[:, 1]) for wave in seen)


def test_what_is_not_finite_or_of_another_shape_is_no_sound():
    with pytest.raises(NonFiniteError, match="training went wrong"):
        conversion(model_of(kind="broken"))(noise())
    model = model_of()
    model.convert = lambda wave: wave[..., 1:]
    with pytest.raises(TypeError, match=r"\(3, 2, 50\) became \(3, 2, 49\)"):
        conversion(model)(noise())
