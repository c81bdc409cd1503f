"""The events of one track, byte by byte."""

from stereokit.errors import BadInputError

# tick, status byte (for a tempo the number of its meta event), first and second data byte (second: a tempo's µs)
Event = tuple[int, int, int, int]

_META, _TEMPO, _END_OF_TRACK = 0xFF, 0x51, 0x2F
_SYSTEM_EXCLUSIVE = (0xF0, 0xF7)
_KINDS_OF_ONE_BYTE = (0xC, 0xD)
_LONGEST_QUANTITY = 4


def track_events(data: memoryview, *, most: int, ticks: int) -> list[Event]:  # noqa: C901 - runs for every byte
    """Return a track's notes, controls, programs, pitch wheels and tempos; what else there is, is passed over.

    Parameters
    ----------
    data
        What the chunk holds.
    most, ticks
        Events and ticks at most.

    Raises
    ------
    BadInputError
        When it is damaged, or passes a limit; the text goes behind the track's number.
    """
    events: list[Event] = []
    place, tick, running, count, size = 0, 0, 0, 0, len(data)
    try:
        while place < size:
            # Most times are under 128 ticks: one byte.
            step = data[place]
            place += 1
            if step & 0x80:
                step, place = _quantity(data, place - 1)
            tick += step
            count += 1
            if tick > ticks or count > most:
                raise BadInputError(f"has more than {ticks} ticks" if tick > ticks else "passes the limit of events")
            status = data[place]
            if status >= 0xF0:
                place, tempo, is_end = _other(data, place)
                running = 0 if status != _META else running
                if tempo is not None:
                    events.append((tick, _TEMPO, 0, tempo))
                if is_end:
                    break
                continue
            if status & 0x80:
                running = status
                place += 1
            elif not running:
                raise BadInputError(f"is damaged at byte {place}: a value where an event must be")
            first = data[place]
            is_short = running >> 4 in _KINDS_OF_ONE_BYTE
            second = 0 if is_short else data[place + 1]
            if (first | second) & 0x80:
                raise BadInputError(f"is damaged at byte {place}: a value over 127 ({max(first, second)})")
            place += 1 if is_short else 2
            events.append((tick, running, first, second))
    except IndexError:
        raise BadInputError("is damaged: it ends inside an event") from None
    return events


def _quantity(data: memoryview, place: int) -> tuple[int, int]:
    """Return a number of up to four bytes of seven bits, and where it ends."""
    value = 0
    for _ in range(_LONGEST_QUANTITY):
        byte = data[place]
        place += 1
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            return value, place
    raise BadInputError(f"is damaged at byte {place}: a number of more than {_LONGEST_QUANTITY} bytes")


def _other(data: memoryview, place: int) -> tuple[int, int | None, bool]:
    """Pass over an event that is no channel's; return where it ends, a tempo, and whether the track ends with it."""
    status = data[place]
    kind = data[place + 1] if status == _META else 0
    if status != _META and status not in _SYSTEM_EXCLUSIVE:
        raise BadInputError(f"is damaged at byte {place}: status {status} does not belong into a file")
    length, place = _quantity(data, place + (2 if status == _META else 1))
    if place + length > len(data):
        raise BadInputError(
            f"is damaged at byte {place}: an event declares {length} bytes, {len(data) - place} are left"
        )
    tempo = None
    if status == _META and kind == _TEMPO:
        if length != 3:
            raise BadInputError(f"is damaged at byte {place}: a tempo of {length} bytes")
        tempo = int.from_bytes(data[place : place + 3])
    return place + length, tempo, status == _META and kind == _END_OF_TRACK
