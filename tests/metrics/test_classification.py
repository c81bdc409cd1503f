import numpy as np
import pytest

from stereokit.metrics.classification import classification_report, confusion


def test_rows_are_the_truth_and_columns_what_was_told():
    truth, told = np.array([0, 0, 0, 1, 2]), np.array([0, 1, 1, 1, 0])
    assert confusion(truth, told, 3).tolist() == [[1, 2, 0], [0, 1, 0], [1, 0, 0]]


def test_no_clips_are_an_empty_matrix_without_figures():
    nothing = np.zeros(0, np.int64)
    report = classification_report(confusion(nothing, nothing, 2))
    assert (report.accuracy, report.balanced_accuracy, report.macro_f1) == (None, None, None)
    assert report.precision == report.recall == report.f1 == (None, None)


@pytest.mark.parametrize(("truth", "told"), [([0, 2], [0, 1]), ([0, 1], [-1, 1]), ([0], [0, 1])])
def test_numbers_that_are_no_class_and_other_lengths_are_refused(truth, told):
    with pytest.raises(ValueError, match="must be"):
        confusion(np.array(truth), np.array(told), 2)


def test_known_figures_of_a_known_matrix():
    report = classification_report(np.array([[8, 2, 0], [1, 4, 0], [0, 5, 0]]))
    assert report.clips == (10, 5, 5)
    assert report.accuracy == 12 / 20
    assert report.recall == (0.8, 0.8, 0.0)
    assert report.balanced_accuracy == pytest.approx(1.6 / 3)
    assert report.precision == (8 / 9, 4 / 11, None)
    assert report.f1 == (16 / 19, 8 / 16, 0.0)
    assert report.macro_f1 == pytest.approx((16 / 19 + 0.5) / 3)


def test_a_class_without_clips_counts_for_no_recall_but_for_precision_where_it_was_told():
    report = classification_report(np.array([[3, 1], [0, 0]]))
    assert report.recall == (0.75, None)
    assert report.balanced_accuracy == 0.75
    assert report.precision == (1.0, 0.0)
    assert report.f1 == (6 / 7, 0.0)
    assert report.macro_f1 == pytest.approx(3 / 7)


def test_rare_classes_weigh_as_much_as_common_ones():
    report = classification_report(np.array([[98, 0], [2, 0]]))
    assert report.accuracy == 0.98
    assert report.balanced_accuracy == 0.5
