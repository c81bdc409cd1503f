"""The model of ``drum-vae``."""

from stereokit.models._waveform_recipe import autoencoder_turn, prior_turns
from stereokit.models._waveform_vae import WaveformVae
from stereokit.models.drum_vae.config import DrumVaeConfig
from stereokit.training.turn import Turn


class Model(WaveformVae):
    """Encoder, decoder and prior of waves."""

    def __init__(self, config: DrumVaeConfig) -> None:
        super().__init__(config)
        # as published, whatever the training ends with is kept
        self.is_chosen_by_score = config.prior != "normal"

    def turns(self) -> list[Turn]:
        """Return the autoencoder's turn and the prior's."""
        return [autoencoder_turn(self), *prior_turns(self)]
