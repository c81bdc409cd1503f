"""The model of ``genre-segnet``."""

from stereokit.models._genre_exchange import GenreExchange
from stereokit.models._genre_recipe import exchange_turns
from stereokit.nets.picture_coder import PictureDecoder, PictureForm, SegNetDecoder
from stereokit.training.turn import Turn


class Model(GenreExchange):
    """Encoders and decoders that pass the places of the largest cells."""

    def mirrored_decoder(self, form: PictureForm) -> PictureDecoder:
        """Return SegNet's decoder."""
        return SegNetDecoder(form)

    def turns(self) -> list[Turn]:
        """Return the turns of the critics and of encoders and decoders, or the one turn of all."""
        return exchange_turns(self)
