"""The model of ``genre-unet``."""

from stereokit.models._genre_exchange import GenreExchange
from stereokit.models._genre_recipe import exchange_turns
from stereokit.models.genre_unet.config import GenreUnetConfig
from stereokit.nets.picture_coder import PictureDecoder, PictureForm, UNetDecoder
from stereokit.training.turn import Turn


class Model(GenreExchange):
    """Encoders and decoders that pass what the innermost stages had."""

    config: GenreUnetConfig

    def __init__(self, config: GenreUnetConfig) -> None:
        self.skipped = config.skipped
        super().__init__(config)

    def mirrored_decoder(self, form: PictureForm) -> PictureDecoder:
        """Return U-Net's decoder."""
        return UNetDecoder(form, self.skipped)

    def turns(self) -> list[Turn]:
        """Return the turns of the critics and of encoders and decoders, or the one turn of all."""
        return exchange_turns(self)
