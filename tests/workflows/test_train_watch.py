"""When signs of a collapse become an alarm, what is forgotten in between, and what a state kept for returning keeps."""

import json

import pytest

from stereokit.workflows.train_watch import Mixing, Watch


def run(signs_by_validation, *, progress=1.0, nnas=None, norms=None):
    """The findings of a training, one a validation."""
    watch, findings = Watch(), []
    for number, signs in enumerate(signs_by_validation):
        if norms is not None:
            watch = watch.after_step({"critic": norms[number]})
        mixing = None if nnas is None else Mixing(nnas[number], 0.04)
        finding = watch.after(10 * (number + 1), signs, mixing, progress=progress)
        # As after a kill and a resumption, each time.
        watch = Watch.from_json(json.loads(json.dumps(finding.watch.to_json())))
        assert watch == finding.watch
        findings.append(finding)
    return findings


def alarms(findings):
    return [finding.alarms for finding in findings]


def test_one_sign_is_chance_two_in_a_row_are_one_alarm() -> None:
    found = run([["few"], [], ["few"], ["few"], ["few"], [], ["few"], ["few"]])
    assert alarms(found) == [(), (), (), ("few",), (), (), (), ("few",)]
    assert found[-1].watch.alarms == ((40, "few"), (80, "few"))
    assert [finding.is_healthy for finding in found] == [False, True, False, False, False, True, False, False]


def test_two_different_signs_in_a_row_are_no_alarm() -> None:
    assert alarms(run([["few"], ["mono"], ["alike"]])) == [()] * 3
    assert alarms(run([["few", "mono"], ["mono"]])) == [(), ("mono",)]


def test_a_generator_may_start_poor_until_half_of_the_training() -> None:
    early = run([["few", "alike", "mono"]] * 4, progress=0.49)
    assert [finding.signs for finding in early] == [()] * 4
    # It is no state to go back to, though.
    assert not any(finding.is_healthy for finding in early)
    assert alarms(run([["few"]] * 2, progress=0.5)) == [(), ("few",)]


def test_what_was_healthy_once_is_watched_at_once() -> None:
    found = run([["few", "mono"], ["mono"], ["few", "mono"], ["few", "mono"]], progress=0.1)
    assert alarms(found) == [(), (), (), ("few",)]


def test_clips_that_were_mixed_with_real_ones_and_are_told_apart_again_ring() -> None:
    # A quarter of the lower of two in a row, 0.2: an accuracy above 0.95.
    nnas = [0.99, 0.7, 0.8, 0.75, 0.94, 0.97, 0.97]
    assert alarms(run([[]] * 7, nnas=nnas)) == [()] * 6 + [("apart",)]
    assert alarms(run([[]] * 5, nnas=[0.99, 0.98, 1.0, 1.0, 1.0])) == [()] * 5


def test_mixing_that_chance_may_have_made_is_no_measure() -> None:
    # 0.15 and 0.02 are 3.25 standard deviations apart.
    assert alarms(run([[]] * 4, nnas=[0.85, 0.85, 0.98, 0.98])) == [()] * 4
    # One good validation is not two.
    assert alarms(run([[]] * 4, nnas=[0.5, 0.98, 0.98, 0.98])) == [()] * 4


@pytest.mark.parametrize(("norm", "sign"), [(1001.0, "exploding"), (0.0099, "vanishing"), (999.0, None), (0.011, None)])
def test_gradients_ring_far_from_the_median_of_healthy_validations(norm, sign) -> None:
    found = run([[]] * 5, norms=[1.0, 10.0, 100.0, norm, norm])
    assert alarms(found)[-1] == (() if sign is None else (sign,))


def test_gradients_of_suspect_validations_are_no_measure() -> None:
    found = run([[]] * 6, norms=[1.0, 1.0, 200.0, 200.0, 200.0, 200.0])
    assert alarms(found) == [(), (), (), ("exploding",), (), ()]
    assert found[-1].watch.norms == {"critic": (1.0, 1.0)}


def test_the_gradient_of_a_validation_is_the_geometric_mean_of_its_steps() -> None:
    watch = Watch().after_step({"critic": 1.0, "generator": 3.0}).after_step({"critic": 100.0})
    assert watch.gradients() == pytest.approx({"critic": 10.0, "generator": 3.0})
    assert watch.after(2, [], None, progress=0.0).watch.gradients() == {}


def test_a_gradient_of_zero_vanishes() -> None:
    assert alarms(run([[]] * 4, norms=[1.0, 1.0, 0.0, 0.0]))[-1] == ("vanishing",)


def test_the_state_to_go_back_to_is_the_nearest_and_without_a_judge_the_last() -> None:
    kept = Watch(kept=(10, 2.0))
    assert [kept.should_keep(energy) for energy in (1.9, 2.0, None)] == [True, False, True]
    assert Watch().should_keep(9.0)


def test_after_a_return_alarms_and_returns_are_remembered_and_signs_are_not() -> None:
    kept = run([[], []], nnas=[0.7, 0.7])[-1].watch
    late = run([[], ["few"], ["few"]])[-1].watch
    back = late.back_to(kept)
    assert (back.rows, back.ringing, back.returns) == ({}, (), 1)
    assert back.alarms == ((30, "few"),)
    assert back.best_mixed == pytest.approx(0.3)
    assert back.back_to(kept).returns == 2


def test_what_another_version_remembered_is_forgotten() -> None:
    assert Watch.from_json({}) == Watch.from_json({"colour": 3}) == Watch()
