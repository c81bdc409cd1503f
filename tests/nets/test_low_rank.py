"""Pictures as sums of a few patterns."""

import torch

from stereokit.nets.low_rank import Detail, LowRankPlane, Mapping, Rank


def planes_of_rank_two(count=40):
    generator = torch.Generator().manual_seed(0)
    rows, columns = torch.randn(2, 32, generator=generator), torch.randn(2, 24, generator=generator)
    weights = torch.randn(count, 2, generator=generator)
    return 0.5 + torch.einsum("nk,kf,kt->nft", weights, rows, columns)


def test_planes_of_low_rank_come_back_from_their_coefficients():
    planes = planes_of_rank_two()
    plane = LowRankPlane((32, 24), Rank(4, 4, 3))
    coefficients = plane.fit(planes)
    torch.testing.assert_close(plane(coefficients), planes, atol=1e-4, rtol=1e-4)
    # two things vary, so the third component has nothing to say
    assert coefficients[:, 2].abs().max() < 1e-3 * coefficients[:, 0].abs().max()


def test_the_patterns_are_orthonormal_and_have_a_sign_of_their_own():
    plane = LowRankPlane((32, 24), Rank(4, 4, 3))
    plane.fit(planes_of_rank_two())
    torch.testing.assert_close(plane.rows.T @ plane.rows, torch.eye(4), atol=1e-5, rtol=0)
    assert torch.all(plane.rows.gather(0, plane.rows.abs().argmax(0, keepdim=True)) > 0)


def test_fewer_pictures_than_components_still_fit():
    planes = planes_of_rank_two(2)
    plane = LowRankPlane((32, 24), Rank(8, 8, 6))
    torch.testing.assert_close(plane(plane.fit(planes)), planes, atol=1e-4, rtol=1e-4)


def test_the_mapping_answers_at_the_scale_of_the_real_coefficients():
    mapping = Mapping(8, 3)
    latents, flags = torch.randn(5, 8), torch.ones(5)
    before = mapping(latents, flags)
    mapping.deviations.copy_(torch.tensor([1.0, 10.0, 0.0]))
    torch.testing.assert_close(mapping(latents, flags), before * torch.tensor([1.0, 10.0, 0.0]))


def test_detail_adds_nothing_until_it_has_learned():
    detail = Detail(2, 8, (32, 32))
    added = detail(torch.randn(3, 2, 32, 32), torch.randn(3, 8), torch.randn(3, 1, 32, 32))
    assert added.shape == (3, 2, 32, 32)
    assert torch.all(added == 0.0)
