"""Models that exchange genres: an encoder and a decoder for each, and maps between them that should not tell which."""

from abc import abstractmethod

import torch
from torch import nn

from stereokit.losses.domains import outputs_of
from stereokit.models._genre_config import GenreConfig
from stereokit.nets.map_critics import MapCritic, PictureCritic
from stereokit.nets.picture_coder import Coded, PictureDecoder, PictureEncoder, PictureForm, RecurrentDecoder
from stereokit.representations.mel_levels import MelLevels
from stereokit.training.draw import Draw
from stereokit.training.trainer import Model as TrainedModel
from stereokit.training.turn import Batch

# Of the mean manner of each genre, a step.
_KEPT = 0.98


class Coder(nn.Module):
    """What one genre has: an encoder, a decoder, and what it takes to tell and to apply a manner."""

    def __init__(self, encoder: PictureEncoder, decoder: PictureDecoder, *, width: int, manner: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.told = nn.Linear(width, manner) if manner else None
        self.applied = nn.Linear(manner, 2 * width) if manner else None

    def manner(self, coded: Coded) -> torch.Tensor | None:
        """Return the second latent of coded pictures, (B, manner), if there is one."""
        return None if self.told is None else torch.as_tensor(self.told(coded.map.mean((2, 3))))

    def mannered(self, map_: torch.Tensor, manner: torch.Tensor | None) -> torch.Tensor:
        """Return a map whose channels are scaled and shifted as a manner, (B, manner), has it."""
        if self.applied is None or manner is None:
            return map_
        scale, shift = self.applied(manner)[..., None, None].chunk(2, dim=1)
        return torch.as_tensor(map_ * (1.0 + scale) + shift)

    def pictures(self, coded: Coded, manner: torch.Tensor | None) -> torch.Tensor:
        """Return the pictures that the decoder makes."""
        return torch.as_tensor(self.decoder(self.mannered(coded.map, manner), coded))


class GenreExchange(TrainedModel):
    """Encoders, decoders and critics; a family says what its mirrored decoder is."""

    manners: torch.Tensor
    # the reconstruction by which it is judged would choose a model that changes nothing
    is_chosen_by_score = False

    def __init__(self, config: GenreConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        self.frames = config.frames
        # its constants are computed, even where weights are only declared (on torch's meta device)
        with torch.device("cpu"):
            self.representation = self.form_of(config.frames)
        channels, rows, frames = self.representation.shape
        form = PictureForm(channels, config.widths, config.convolutions, config.norm)
        kinds = len(config.labels)
        self.coders = nn.ModuleList(
            Coder(PictureEncoder(form), self._decoder(form, rows, frames), width=form.widths[-1], manner=config.manner)
            for _ in config.labels
        )
        self.critic = (
            MapCritic(form.map_shape(rows, frames), width=config.critic_width, outputs=outputs_of(kinds))
            if config.critic_weight > 0.0
            else None
        )
        self.look = PictureCritic(channels, kinds=kinds, width=config.look_width) if config.look_weight > 0.0 else None
        self.register_buffer("manners", torch.zeros(kinds, config.manner))

    @abstractmethod
    def mirrored_decoder(self, form: PictureForm) -> PictureDecoder:
        """Return a decoder with the encoder's stages, the other way round."""

    def _decoder(self, form: PictureForm, rows: int, frames: int) -> PictureDecoder:
        if self.config.decoder == "mirrored":
            return self.mirrored_decoder(form)
        return RecurrentDecoder(form, rows=rows, frames=frames, hidden=self.config.hidden)

    def form_of(self, samples: int) -> MelLevels:
        """Return the representation of sounds of another length."""
        config = self.config
        return MelLevels(
            samples=samples, sample_rate=config.sample_rate, window=config.window, hop=config.hop, bands=config.bands,
            floor_db=config.floor_db, iterations=config.iterations, held_db=config.held_db,
        )  # fmt: skip

    def coder(self, genre: int) -> Coder:
        """Return what a genre has."""
        found = self.coders[genre]
        assert isinstance(found, Coder)  # noqa: S101 - a list of modules forgets what they are
        return found

    def forward_statistics(self, batch: Batch, draw: Draw) -> object:
        """Send each genre's pictures through its own encoder and decoder, whose batch norms a translation needs."""
        assert batch.labels is not None  # noqa: S101 - fed with domains
        pictures = self.representation.encode(batch.clips)
        return [
            self.reconstructed(pictures[batch.labels == genre], genre)[1]
            for genre in range(len(self.coders))
            if (batch.labels == genre).any()
        ]

    def reconstructed(self, pictures: torch.Tensor, genre: int) -> tuple[Coded, torch.Tensor]:
        """Return what a genre's encoder makes of its pictures, and what its decoder makes of that."""
        coder, coded = self.coder(genre), self.coded(pictures, genre)
        with self.autocast():
            made = coder.pictures(coded, coder.manner(coded))
        return coded, made.to(pictures.dtype)

    def coded(self, pictures: torch.Tensor, genre: int) -> Coded:
        """Return what a genre's encoder makes of pictures."""
        with self.autocast():
            found = self.coder(genre).encoder(pictures)
        assert isinstance(found, Coded)  # noqa: S101 - calls of modules forget what they return
        return found

    def exchanged(self, coded: Coded, genre: int) -> torch.Tensor:
        """Return what a genre's decoder makes of what another's encoder told, in its own mean manner."""
        manner = self.manners[genre].expand(len(coded.map), -1) if self.config.manner else None
        with self.autocast():
            made = self.coder(genre).pictures(coded, manner)
        return made.to(self.manners.dtype)

    @torch.no_grad()
    def remember(self, coded: Coded, genre: int) -> None:
        """Let the mean manner of a genre follow that of its sounds."""
        manner = self.coder(genre).manner(coded)
        if manner is not None:
            self.manners[genre].lerp_(manner.mean(0).to(self.manners), 1.0 - _KEPT)

    def translate(self, wave: torch.Tensor, source: int, target: int) -> torch.Tensor:
        """Return sounds of another genre, float32 of the shape of ``wave``.

        Parameters
        ----------
        wave
            float32 (B, 2, T) at the model's sample rate, full scale ±1; any T. Shorter sounds than the model's frames
            end in silence on the way.
        source, target
            Numbers of ``config.labels``; equal ones give the sound back as well as the model can.
        """
        missing = max(self.frames - wave.shape[-1], 0)
        padded = nn.functional.pad(wave, (0, missing))
        form = (
            self.representation if padded.shape[-1] == self.frames else self.form_of(padded.shape[-1]).to(wave.device)
        )
        pictures = form.encode(padded)
        coded = self.coded(pictures, source)
        # what is silent on both sides stays so: a network leaves a little everywhere
        made = self.exchanged(coded, target) * (pictures.amax((1, 2, 3), keepdim=True) > 0.0)
        return form.decode_near(made, padded)[..., : wave.shape[-1]]
