"""The model of ``drum-vae-gan``."""

from stereokit.models._waveform_recipe import prior_turns
from stereokit.models.drum_vae_gan.players import JudgedVae
from stereokit.models.drum_vae_gan.recipes import judged_turns
from stereokit.training.turn import Turn


class Model(JudgedVae):
    """Encoder, decoder, prior and discriminators of waves."""

    def turns(self) -> list[Turn]:
        """Return the turns of autoencoder, decoder and discriminators, and the prior's."""
        return [*judged_turns(self), *prior_turns(self)]
