"""Distances between batches that do not pair items."""

import pytest
import torch

from stereokit.losses.distances import energy_distance, matched_energy_distance, moment_difference


def normal(count, *, mean=0.0, deviation=1.0, seed=0):
    return mean + deviation * torch.randn(count, 6, generator=torch.Generator().manual_seed(seed))


def test_the_energy_distance_is_its_formula():
    made, real = torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [5.0]])
    across = (3 + 5 + 2 + 4) / 4
    assert float(energy_distance(made, real)) == pytest.approx(2 * across - 1 - 2)


def test_equal_distributions_are_near_0_and_a_shift_or_lack_of_variety_is_not():
    real = normal(400)
    assert abs(float(energy_distance(normal(400, seed=1), real))) < 0.05
    assert float(energy_distance(normal(400, mean=1.0, seed=1), real)) > 0.5
    assert float(energy_distance(normal(400, deviation=0.1, seed=1), real)) > 0.5


def test_the_gradient_pulls_a_collapsed_batch_apart():
    made = torch.zeros(8, 6) + 1e-3 * normal(8)
    made.requires_grad_()
    energy_distance(made, normal(64, seed=2)).backward()
    moved = made.detach() - made.grad
    assert moved.std(0).mean() > 10 * made.detach().std(0).mean()


def test_an_item_that_meets_itself_has_no_gradient_that_is_not_a_number():
    made = torch.zeros(3, 6, requires_grad=True)
    energy_distance(made, torch.zeros(3, 6)).backward()
    assert torch.isfinite(made.grad).all()


@pytest.mark.parametrize("distance", [energy_distance, moment_difference])
def test_the_order_of_a_batch_means_nothing(distance):
    made, real = normal(16), normal(16, seed=1)
    shuffled = made[torch.randperm(16, generator=torch.Generator().manual_seed(0))]
    torch.testing.assert_close(distance(shuffled, real), distance(made, real))
    # compared item by item, a batch would differ from itself in another order
    assert (made - shuffled).abs().mean() > 0.5
    assert distance(shuffled, made).abs() < 0.5


def test_moments_see_mean_and_deviation():
    real = normal(64)
    assert float(moment_difference(real + 2.0, real)) == pytest.approx(2.0, rel=1e-5)
    assert float(moment_difference((real - real.mean(0)) * 3.0, real - real.mean(0))) == pytest.approx(
        2.0 * float(real.std(0, correction=0).mean()), rel=1e-4
    )


def test_matched_batches_of_one_law_have_no_energy_distance_and_swapped_labels_have():
    generator = torch.Generator().manual_seed(0)
    labels = torch.eye(3)[torch.randint(3, (400, 16), generator=generator)]

    def items(order):
        centres = 3.0 * labels.roll(order, -1)
        return torch.cat([centres + torch.randn(400, 16, 3, generator=generator), 3.0 * labels], dim=-1)

    same = matched_energy_distance(items(0), items(0))
    assert float(same) == pytest.approx(0.0, abs=0.03)
    # each label has another's items: only vectors with their labels tell
    assert float(matched_energy_distance(items(1), items(0))) > 0.5


def test_matched_distance_leaves_out_pairs_of_one_number():
    made, real = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [3.0]])
    # across |0-3| and |1-0|, within 1 and 3
    assert float(matched_energy_distance(made, real)) == pytest.approx(2 * 2.0 - 1.0 - 3.0)
    assert float(matched_energy_distance(made + 10.0, real)) == pytest.approx(2 * (7.0 + 11.0) / 2 - 4.0)
