"""The colours of labels: told apart by eyes of all kinds as long as there are few, by lightness after that."""

Colour = tuple[int, int, int]

# Okabe and Ito's, but for black, which is what text is written in; then the same, lighter or darker.
_COLOURS: tuple[Colour, ...] = (
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0), (240, 228, 66),
    (117, 76, 160), (0, 70, 120), (140, 100, 20), (90, 200, 160), (130, 60, 100), (150, 210, 245), (255, 150, 90),
    (150, 140, 20), (180, 150, 215),
)  # fmt: skip
NO_LABEL: Colour = (140, 146, 156)
UNLABELLED = "no label"


def label_colours(labels: int) -> list[Colour]:
    """Return a colour a label, and last that of clips without one; of very many labels colours come again."""
    return [*(_COLOURS[number % len(_COLOURS)] for number in range(labels)), NO_LABEL]
