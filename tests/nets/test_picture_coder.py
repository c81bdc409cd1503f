"""Pictures to maps and back, by what SegNet, U-Net and a recurrent decoder hear."""

import pytest
import torch

from stereokit.nets.picture_coder import (
    PictureEncoder,
    PictureForm,
    RecurrentDecoder,
    SegNetDecoder,
    UNetDecoder,
    disagreement,
)

FORM = PictureForm(2, (8, 16), (1, 2), "group")


def pictures(rows, frames):
    return torch.rand(3, 2, rows, frames, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("rows", "frames"), [(32, 32), (32, 33), (33, 4), (4, 30)])
def test_decoders_give_pictures_of_the_size_that_the_encoder_saw(rows, frames):
    torch.manual_seed(0)
    shown = pictures(rows, frames)
    coded = PictureEncoder(FORM)(shown)
    assert coded.map.shape == (3, *FORM.map_shape(rows, frames))
    for decoder in (
        SegNetDecoder(FORM),
        UNetDecoder(FORM, 0),
        UNetDecoder(FORM, 2),
        RecurrentDecoder(FORM, rows=rows, frames=frames, hidden=4),
    ):
        assert decoder(coded.map, coded).shape == shown.shape


def test_the_published_halves_have_the_sizes_of_a_vgg_of_16_layers():
    form = PictureForm(3, (64, 128, 256, 512, 512), (2, 2, 3, 3, 3), "batch")
    with torch.device("meta"):
        encoder, decoder = PictureEncoder(form), SegNetDecoder(form)
    convolutions = [weights for weights in encoder.parameters() if weights.dim() == 4]
    assert len(convolutions) == 13
    # of VGG-16: 14,714,688 with the biases of its convolutions, which batch norms replace
    assert sum(weights.numel() for weights in convolutions) == 14_714_688 - 4_224
    assert len([weights for weights in decoder.parameters() if weights.dim() == 4]) == 14


def test_a_segnet_puts_cells_back_where_they_were():
    torch.manual_seed(0)
    encoder, decoder = PictureEncoder(FORM), SegNetDecoder(FORM)
    coded = encoder(pictures(16, 16))
    moved = encoder(pictures(16, 16).flip(-1))
    assert not torch.equal(decoder(coded.map, coded), decoder(coded.map, moved))


def test_a_unet_hears_only_the_innermost_skips_that_it_is_given():
    torch.manual_seed(0)
    encoder = PictureEncoder(FORM)
    shown = pictures(16, 16)
    coded = encoder(shown)
    other = type(coded)(coded.map, (coded.skips[0] + 1.0, coded.skips[1]), coded.places)
    inner = UNetDecoder(FORM, 1)
    assert torch.equal(inner(coded.map, coded), inner(coded.map, other))
    both = UNetDecoder(FORM, 2)
    assert not torch.equal(both(coded.map, coded), both(coded.map, other))


def test_patches_that_agree_are_joined_as_they_are_and_others_fade():
    decoder = RecurrentDecoder(FORM, rows=8, frames=16, hidden=4)
    whole = torch.rand(1, 2, 8, 20)
    agreeing = whole.unfold(-1, 8, 4).permute(0, 3, 1, 2, 4)
    coded = PictureEncoder(FORM)(pictures(8, 16)[:1])
    decoder.patches = lambda map_: agreeing
    assert disagreement(agreeing) == 0.0
    assert torch.allclose(decoder(coded.map, coded), whole[..., :16], atol=1e-6)
    assert disagreement(torch.rand(1, 4, 2, 8, 8)) > 0.1
    assert disagreement(agreeing[:, :1]) == 0.0
