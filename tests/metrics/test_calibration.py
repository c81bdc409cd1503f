import numpy as np
import pytest

from stereokit.metrics.calibration import (
    HIGHEST_TEMPERATURE,
    LOWEST_TEMPERATURE,
    expected_calibration_error,
    negative_log_likelihood,
    reliability,
    softmax,
    temperature,
)


def test_the_temperature_undoes_logits_that_were_made_too_large():
    # three of four right at two equal classes: logit log(3), whatever it was scaled by
    logits = np.tile([np.log(3.0), 0.0], (4, 1))
    truth = np.array([0, 0, 0, 1])
    for scale in (0.1, 1.0, 10.0):
        assert temperature(scale * logits, truth) == pytest.approx(scale, rel=1e-9)


def test_no_other_temperature_makes_the_truth_likelier():
    random = np.random.default_rng(0)
    logits, truth = 3.0 * random.standard_normal((200, 5)), random.integers(5, size=200)
    logits[np.arange(200), truth] += 2.0
    best = temperature(logits, truth)
    found = negative_log_likelihood(softmax(logits / best), truth)
    for other in best * np.array([0.5, 0.99, 1.01, 2.0]):
        assert negative_log_likelihood(softmax(logits / other), truth) > found


def test_perfect_and_useless_logits_end_at_the_bounds():
    logits, right, wrong = np.array([[2.0, 0.0], [0.0, 2.0]]), np.array([0, 1]), np.array([1, 0])
    assert temperature(logits, right) == pytest.approx(LOWEST_TEMPERATURE)
    assert temperature(logits, wrong) == pytest.approx(HIGHEST_TEMPERATURE)


@pytest.mark.parametrize("logits", [np.zeros((0, 2)), np.array([[np.inf, 0.0]])])
def test_nothing_and_infinity_have_no_temperature(logits):
    with pytest.raises(ValueError, match="must be finite"):
        temperature(logits, np.zeros(len(logits), np.int64))


def test_confidence_that_is_kept_has_no_error_and_boasting_has_one():
    probabilities = np.tile([0.75, 0.25], (4, 1))
    assert expected_calibration_error(probabilities, np.array([0, 0, 0, 1])) == 0.0
    assert expected_calibration_error(probabilities, np.array([0, 1, 1, 1])) == pytest.approx(0.5)


def test_bins_are_weighed_by_their_clips():
    confidence = np.array([0.95, 0.95, 0.95, 0.55])
    found = reliability(confidence, np.array([True, True, True, False]), bins=10)
    assert found.count.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 3]
    assert found.error == pytest.approx((3 * 0.05 + 0.55) / 4)


def test_certainty_belongs_to_the_last_bin_and_nothing_has_no_error():
    assert reliability(np.array([1.0]), np.array([True]), bins=3).count.tolist() == [0, 0, 1]
    assert reliability(np.zeros(0), np.zeros(0, bool)).error == 0.0


def test_softmax_survives_logits_of_any_size():
    assert softmax(np.array([[1e6, 0.0], [-1e6, -1e6]])).tolist() == [[1.0, 0.0], [0.5, 0.5]]
