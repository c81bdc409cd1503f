"""Windows of sound through a converter."""

import numpy as np
import pytest
import torch
from toy_converter import EchoConfig, Model

from stereokit.models._conversion import conversion, converting, translating
from stereokit.training.trainer import NonFiniteError


def model_of(**changes: object) -> Model:
    return Model(EchoConfig(**changes)).eval()


def noise(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((count, 2, 50)).astype(np.float32)


@pytest.mark.parametrize("channels", ["stereo", "mid", "mid-side"])
def test_what_the_model_leaves_alone_comes_back(channels: str):
    windows = noise()
    np.testing.assert_allclose(conversion(converting(model_of()), channels=channels)(windows), windows, atol=1e-6)


def test_silent_windows_are_not_asked_about_and_stay_silent():
    model, seen = model_of(), []

    def one_more(wave: torch.Tensor) -> torch.Tensor:
        seen.append(len(wave))
        return wave + 1.0

    model.convert = one_more
    windows = noise(4)
    windows[[0, 2]] = 0.0
    made = conversion(converting(model))(windows)
    assert seen == [2]
    assert not made[[0, 2]].any()
    assert np.array_equal(made[1], windows[1] + 1.0)
    assert not conversion(converting(model))(np.zeros((2, 2, 5), np.float32)).any()
    assert seen == [2]


def test_equal_channels_stay_equal_and_others_may_part():
    windows = noise()
    windows[0, 1] = windows[0, 0]
    made = conversion(converting(model_of(kind="wide")))(windows)
    assert np.array_equal(made[0, 0], made[0, 1])
    assert np.array_equal(made[1:, 1], -windows[1:, 1])


def test_with_mid_alone_the_side_stays_as_it_was():
    windows = noise()
    made = conversion(converting(model_of(gain=0.25)), channels="mid")(windows)
    np.testing.assert_allclose(made[:, 0] - made[:, 1], windows[:, 0] - windows[:, 1], atol=1e-6)
    np.testing.assert_allclose(made.sum(axis=1), 0.25 * windows.sum(axis=1), atol=1e-6)


def test_mid_and_side_apart_are_each_a_sound_without_width():
    model, seen = model_of(), []
    model.convert = lambda wave: (seen.append(wave), wave)[1]
    conversion(converting(model), channels="mid-side")(noise())
    assert len(seen) == 2
    assert all(torch.equal(wave[:, 0], wave[:, 1]) for wave in seen)


def test_what_is_not_finite_or_of_another_shape_is_no_sound():
    with pytest.raises(NonFiniteError, match="training went wrong"):
        conversion(converting(model_of(kind="broken")))(noise())
    model = model_of()
    model.convert = lambda wave: wave[..., 1:]
    with pytest.raises(TypeError, match=r"\(3, 2, 50\) became \(3, 2, 49\)"):
        conversion(converting(model))(noise())


def test_a_translator_is_told_what_sounds_are_and_what_they_should_be():
    class Between:
        representation = None

        def translate(self, wave: torch.Tensor, source: int, target: int) -> torch.Tensor:
            return wave * (10 * source + target)

    windows = noise()
    np.testing.assert_array_equal(conversion(translating(Between(), 1, 2))(windows), windows * 12)


def test_a_model_is_asked_only_for_what_it_can_do():
    with pytest.raises(TypeError, match="no method translate"):
        translating(model_of(), 0, 1)
    with pytest.raises(TypeError, match="no method convert"):
        converting(torch.nn.Identity())
