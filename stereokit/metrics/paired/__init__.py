"""How near a clip comes to the clip that it should be: the same sound, sample by sample."""
