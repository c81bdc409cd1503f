import numpy as np

from stereokit.metrics.label_errors import label_errors


def test_a_clip_that_is_surely_of_another_class_is_a_suspect_and_the_surest_comes_first():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.05, 0.95], [0.1, 0.9], [0.2, 0.8], [0.97, 0.03]])
    labels = np.array([0, 0, 0, 1, 1, 1])
    found = label_errors(probabilities, labels)
    assert found.suspects.tolist() == [5, 2]
    assert found.classes.tolist() == [0, 1]
    assert found.joint.tolist() == [[2, 1], [1, 2]]


def test_a_clip_of_which_nothing_is_sure_is_no_suspect():
    # class 1 is sure of itself, so that 0.6 is not enough to be of it
    probabilities = np.array([[0.4, 0.6], [0.9, 0.1], [0.05, 0.95], [0.05, 0.95]])
    found = label_errors(probabilities, np.array([0, 0, 1, 1]))
    assert found.suspects.size == 0
    assert found.joint.tolist() == [[2, 0], [0, 2]]


def test_classes_without_clips_take_none():
    probabilities = np.array([[0.2, 0.1, 0.7], [0.1, 0.2, 0.7]])
    assert label_errors(probabilities, np.array([0, 1])).suspects.size == 0
