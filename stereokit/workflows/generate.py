"""``stereokit generate``: a trained model to new clips, in a folder or as one WAV on a pipe."""

import json
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from stereokit.audio.files import encode
from stereokit.audio.stream import longest_frames, wav_header, wav_samples
from stereokit.data.dataset import versions
from stereokit.data.sources import Refusal
from stereokit.data.staging import FolderKind, Staging, check_target, filling
from stereokit.data.tables import METADATA
from stereokit.errors import MissingError, Status, UsageError
from stereokit.models._capabilities import require
from stereokit.models._run import Record, Run, load_run, read_config
from stereokit.training.device import available_threads, choose_device
from stereokit.workflows.events import Data, Event, Events, Message, Row
from stereokit.workflows.generate_maker import Maker
from stereokit.workflows.generate_plan import Reconstructions, make_plan
from stereokit.workflows.generate_select import choose
from stereokit.workflows.generate_settings import GenerateSettings, is_number
from stereokit.workflows.generate_work import Generation, Made
from stereokit.workflows.refusals import refusal_messages
from stereokit.writing import append_file, write_file

if TYPE_CHECKING:
    from stereokit.workflows.generate_page import ClipsPage

GENERATE_SCHEMA = "stereokit.generate/1"
CLIP_SCHEMA = "stereokit.generate.clip/1"
DESCRIPTION = "generated.json"

_KIND = FolderKind("set of generated clips", DESCRIPTION, "stereokit.generated/1")


def generate(settings: GenerateSettings, stdin: Iterable[str] | None = None) -> Events:
    """Make clips and yield a row for each and a summary; without a folder, yield the bytes of one WAV file.

    Parameters
    ----------
    settings
        The words.
    stdin
        Lines of standard input, for sounds to reconstruct.

    Raises
    ------
    UsageError, BadInputError, MissingError, OutputError, LockedError
        When nothing can be done; nothing is left half-written.
    """
    settings.check()
    if settings.output is not None:
        check_target(settings.output, _KIND, force=settings.force)
    record = read_config(settings.run)
    _require(settings, record)
    device = choose_device(settings.device)
    torch.set_num_threads(available_threads())
    run = load_run(settings.run)
    frames = _frames(settings, run)
    plan, refused = make_plan(settings, run, stdin)
    yield from refusal_messages(refused)
    yield from map(Message, plan.remarks)
    status = Status.SOME_FAILED if refused else Status.DONE
    maker = Maker(run.model.to(device), settings.seed, settings.truncation, device)
    generation = Generation(settings, run, maker, plan, frames, plan.numbers)
    settings.check_page_size(settings.choice[0] if settings.choice else len(plan.numbers))
    if settings.is_dry_run:
        yield from _planned(generation, refused)
        return status
    page = _page(settings, run)
    if settings.choice is not None:
        chosen = yield from choose(settings, run, plan, maker)
        generation.numbers, generation.reasons = chosen.numbers, chosen.told
    if settings.output is None:
        yield from _stream(generation, page)
        return status
    with filling(settings.output, _KIND) as staging:
        # Once more under the lock: another process may have filled the folder since the first look.
        check_target(settings.output, _KIND, force=settings.force)
        yield from _write(generation, staging, page)
    # Only now are the clips where their rows say: whoever reads the pipe opens them at once.
    with (settings.output / METADATA).open(encoding="utf-8") as lines:
        for line in lines:
            fields = json.loads(line)
            place = {"status": "done", "path": str(settings.output / fields.pop("file_name"))}
            yield Row(CLIP_SCHEMA, place | fields)
    yield from _refused_rows(refused)
    yield from generation.warnings()
    yield Row(GENERATE_SCHEMA, generation.summary("done"))
    # last, since the clips are there even if this fails
    _write_page(generation, page)
    return status


def _require(settings: GenerateSettings, record: Record) -> None:
    """Refuse a family that cannot do what is asked, and a label that the run does not know."""
    settings.label_of(tuple(getattr(record.config, "labels", ())), record.family.name)
    from_files = [word for word in settings.corners if not is_number(word)] + list(settings.reconstruct)
    option = {"path": " --interpolate", "grid": " --grid", "around": " --around", "reconstruction": " --reconstruct"}
    word = option.get(settings.kind, "")
    if settings.kind == "sample":
        require(record.family, "sampler", "generate")
    if word or settings.truncation is not None:
        require(record.family, "interpolator", f"generate{word or ' --truncation'}")
    if from_files:
        require(record.family, "encoder", f"generate{word} {from_files[0]}")
    if settings.select is not None and settings.by != "data":
        require(record.family, "critic", "generate --select without --by data")


def _frames(settings: GenerateSettings, run: Run) -> int:
    """Return the samples of a clip."""
    rate, most = run.model.sample_rate, run.model.frames
    if settings.length is None:
        return most
    frames = round(rate * settings.length)
    if not 1 <= frames <= most:
        told = f"{most / rate:.6g} s ({most} samples at {rate} Hz)"
        raise UsageError(f"--length {settings.length:g}: the model's clips have {told}, which can be cut to 1 sample")
    return frames


def _page(settings: GenerateSettings, run: Run) -> "ClipsPage | None":
    if settings.page is None:
        return None
    try:
        from stereokit.workflows.generate_page import ClipsPage  # noqa: PLC0415 - works without matplotlib
    except ImportError as error:
        raise MissingError("--page needs matplotlib: pip install 'stereokit[plot]'") from error
    title = f"stereokit generate: {run.family.name}, {run.preset}"
    return ClipsPage(title, settings.kind, settings.way_steps)


def _planned(generation: Generation, refused: Sequence[Refusal]) -> Iterator[Event]:
    """Yield what would be made; which clips are chosen is known only when all are."""
    settings = generation.settings
    if settings.choice is not None:
        generation.numbers = range(settings.choice[0])
    else:
        for number in generation.numbers:
            path = f"{settings.output}/{_file_name(number)}"
            told = {"index": number, **generation.identity(), **generation.told(number)}
            yield Row(CLIP_SCHEMA, {"status": "planned", "path": path, **told})
    yield from _refused_rows(refused)
    yield Row(GENERATE_SCHEMA, generation.summary("planned"))


def _refused_rows(refused: Sequence[Refusal]) -> Iterator[Row]:
    for one in refused:
        yield Row(CLIP_SCHEMA, {"status": "failed", "path": one.path, "reason": one.reason})


def _file_name(number: int) -> str:
    return f"{number:06d}.wav"


def _write(generation: Generation, staging: Staging, page: "ClipsPage | None") -> Generator[Event, None, None]:
    """Make the clips in the staging folder, a row each in its manifest, and put all of them in place."""
    for made in generation.make():
        name = _file_name(made.number)
        data = _encoded(generation, made)
        write_file(staging.staged(name), data, durable=False)
        row = {"file_name": name, **generation.row(made, data)}
        append_file(staging.staged(METADATA), (json.dumps(row, allow_nan=False) + "\n").encode())
        _show(generation, made, data, page)
        yield generation.progress()
    names = [_file_name(number) for number in generation.numbers]
    # what a clip's bytes depend on beside the run, its seed and its number
    made_by = {"threads": torch.get_num_threads(), "versions": versions() | {"torch": torch.__version__}}
    kept = {name: value for name, value in generation.summary("done").items() if name not in ("status", "output")}
    staging.put_in_place(names, {**kept, **made_by})


def _stream(generation: Generation, page: "ClipsPage | None") -> Generator[Event, None, None]:
    """Yield the bytes of one WAV file, clip after clip."""
    settings, rate = generation.settings, generation.run.model.sample_rate
    frames = len(generation.numbers) * generation.frames
    if frames > longest_frames(settings.encoding):
        most = longest_frames(settings.encoding) // generation.frames
        raise UsageError(
            f"{len(generation.numbers)} clips: one WAV file holds at most {most} of these clips; write to a folder"
        )
    yield Data(wav_header(frames, rate, settings.encoding))
    for made in generation.make():
        seed = generation.dither_seed(made.number)
        yield Data(wav_samples(made.clip, encoding=settings.encoding, dither_seed=seed))
        if page is not None:
            _show(generation, made, _encoded(generation, made), page)
        yield generation.progress()
    _write_page(generation, page)
    yield from generation.warnings()


def _encoded(generation: Generation, made: Made) -> bytes:
    seed = generation.dither_seed(made.number)
    return encode(made.clip, encoding=generation.settings.encoding, dither_seed=seed)


def _show(generation: Generation, made: Made, data: bytes, page: "ClipsPage | None") -> None:
    """Put a clip on the page, beside what it should sound like."""
    if page is None:
        return
    plan = generation.plan
    original = None
    if isinstance(plan, Reconstructions):
        path = plan.original(made.number)
        original = path, plan.sounds.clip(path)
    page.add(made.clip, data, generation.row(made, data), original)


def _write_page(generation: Generation, page: "ClipsPage | None") -> None:
    path = generation.settings.page
    if page is None or path is None:
        return
    summary, reasons = generation.summary("done"), {"run": generation.run.fingerprint[:8]}
    for name in ("seed", "condition", "truncation", "select", "frames", "sample_rate_hz"):
        if summary[name] is not None:
            reasons[name] = str(summary[name])
    facts = ", ".join(f"{name} {value}" for name, value in reasons.items())
    write_file(path, page.html(f"{len(generation.numbers)} clips: {facts}.").encode())
