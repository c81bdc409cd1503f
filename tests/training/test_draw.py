"""Random numbers that follow from what they are for."""

import torch

from stereokit.training.draw import Draw

KEY = (7, 3, "critic", 0)


def test_an_item_has_its_numbers_whatever_the_batch_around_it() -> None:
    whole = Draw(KEY, range(8))
    parts = [Draw(KEY, range(3)), Draw(KEY, range(3, 8))]
    assert torch.equal(whole.normal(5), torch.cat([part.normal(5) for part in parts]))
    assert torch.equal(whole.uniform(2, 2), torch.cat([part.uniform(2, 2) for part in parts]))


def test_each_part_of_the_key_and_each_call_has_other_numbers() -> None:
    first = Draw(KEY, [0]).normal(4)
    for other in ((8, 3, "critic", 0), (7, 4, "critic", 0), (7, 3, "generator", 0), (7, 3, "critic", 1)):
        assert not torch.equal(first, Draw(other, [0]).normal(4))
    draw = Draw(KEY, [0])
    assert not torch.equal(draw.normal(4), draw.normal(4))


def test_a_longer_call_does_not_shift_the_next() -> None:
    short, long = Draw(KEY, [0, 1]), Draw(KEY, [0, 1])
    short.normal(1)
    long.normal(100)
    assert torch.equal(short.uniform(3), long.uniform(3))


def test_the_distributions_are_what_they_are_called() -> None:
    normal = Draw(KEY, range(200)).normal(200)
    assert abs(float(normal.mean())) < 0.02
    assert abs(float(normal.std()) - 1.0) < 0.02
    uniform = Draw(KEY, range(200)).uniform(200)
    assert 0.0 <= float(uniform.min()) < 0.001
    assert 0.999 < float(uniform.max()) < 1.0
    assert set(Draw(KEY, range(100)).integers(3, 10).unique().tolist()) == {0, 1, 2}
