"""The stages of translating on a cluster: reading, decoding, the network, and writing. Ray runs them at the same time.

Each takes and returns rows: a dict with the `Part` in bytes and, for the process that counts, what it is.
"""

import functools
import itertools
import os
import pickle
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from keras_gan.errors import UserError
from keras_gan.images import video
from keras_gan.images.writing import encoded, ending
from keras_gan.translate.inputs import Input
from keras_gan.translate.job import Job
from keras_gan.translate.pipeline import Flow
from keras_gan.translate.reading import is_deep
from keras_gan.translate.shards import Record, Source, opened, records, suffix_of

BATCHES = 4  # in a part
MOST = 1 << 30  # bytes of a picture's pixels on its way between processes
FACTS = "kind", "shape", "out_shape", "value_range", "multiple", "fit", "config", "direction", "preparation", "title"


class Item(NamedTuple):
    """A picture, decoded or translated, or why there is none."""

    given: str
    name: str = ""  # path below the place of the results
    is_deep: bool = False
    pixels: Any = None
    fault: str | None = None
    is_there: bool = False  # its result was written before


@dataclass
class Part:
    """Some pictures of a source that follow one another: so many batches of the network."""

    source: Source
    number: int
    is_last: bool  # of the source
    items: list[Any] = field(default_factory=list)  # `Record`, then `Item`
    note: dict[str, Any] = field(default_factory=dict)
    is_done: bool = False

    def row(self, failure: str = "") -> dict[str, Any]:
        what = {"source": pickle.dumps(self.source), "number": self.number, "is_last": self.is_last}
        return what | {"part": b"" if failure else pickle.dumps(self), "failure": failure}


def facts_of(generator: Any) -> SimpleNamespace:
    """What decoding needs to know of a generator, without its network."""
    known = {name: getattr(generator, name) for name in FACTS}
    name = generator.path.with_suffix(".keras").name if generator.path else "generator.keras"
    return SimpleNamespace(**known, run=generator.run, comment=generator.comment, file=name)


def flow_of(job: Job, generator: Any = None) -> Flow:
    """A `Flow` that reads and, with a generator, translates. Its halves and preparations count one part."""
    flow = Flow(generator or job.facts, [], **job.options)
    flow.halves.side = job.side  # other machines may not have the data that tells
    return flow


def stage(work: Callable[[Part, Job], Part]) -> Callable[..., dict[str, Any]]:
    """Makes a stage of what is done with a part. Errors that users can fix pass on as text: Ray would wrap them."""

    @functools.wraps(work)
    def staged(row: dict[str, Any], job: Job) -> dict[str, Any]:
        if row["failure"]:
            return row
        part = pickle.loads(row["part"])
        try:
            return row if part.is_done else work(part, job).row()
        except (UserError, OSError) as error:
            return part.row(str(error) or type(error).__name__)

    return staged


def read(row: dict[str, Any], job: Job) -> Iterator[dict[str, Any]]:
    """Yields the parts of a source, those that are done without their pictures. A source has at least one."""
    source = pickle.loads(row["source"])
    try:
        job.check_same(source)
    except UserError as error:
        yield Part(source, 0, True, []).row(str(error))
        return
    done = job.done_parts(source.name) if job.is_resumed else set()
    found = records(source, job.listed)
    some = list(itertools.islice(found, job.size))
    for number in itertools.count():
        ahead = list(itertools.islice(found, 1))
        part = Part(source, number, not ahead, some, is_done=number in done)
        if part.is_done:
            part.items = []
        yield part.row()
        if not ahead:
            return
        some = ahead + list(itertools.islice(found, job.size - 1))


@stage
def decode(part: Part, job: Job) -> Part:
    """Makes pixels of files."""
    flow = flow_of(job)
    with tempfile.TemporaryDirectory() as folder:
        part.items = [item_of(record, part.source, flow, job, Path(folder)) for record in part.items]
    pixels = [item.pixels for item in part.items if item.pixels is not None]
    part.note = {
        "cut": len(flow.halves.cut),
        "made": len(flow.prepared.made),
        "kept": len(flow.prepared.kept),
        "brightest": max((float(picture.max() / np.iinfo(picture.dtype).max) for picture in pixels), default=0.0),
    }
    return part


def item_of(record: Record, source: Source, flow: Flow, job: Job, folder: Path) -> Item:
    """Decodes a picture as `translate` does its files."""
    if record.fault or record.content is None:
        return Item(record.given, fault=record.fault)
    path = Path(record.content) if isinstance(record.content, str) else folder / f"picture{suffix_of(record)}"
    if isinstance(record.content, bytes):
        path.write_bytes(record.content)
    if video.is_video(path) or video.is_animation(path):
        return Item(record.given, fault="it is a video or an animation: translate it without --engine ray")
    deep = job.deep or is_deep(path)
    piece = flow.read(Input(path, path, False, deep))
    if piece.pixels is None:
        return Item(record.given, fault=str(piece.fault).replace(str(path), record.given))
    if piece.pixels.nbytes > MOST:
        return Item(record.given, fault="it is too large to pass on: translate it without --engine ray")
    name = record.stem + ending(flow.generator.out_shape[2], deep, path)
    return Item(record.given, name, deep, piece.pixels, None, job.is_there(source, name))


class Network:
    """The stage that computes: keeps the network, compiled."""

    def __init__(self, job: Job) -> None:
        self.job, self.staged = job, stage(self.translate)

    @functools.cached_property
    def flow(self) -> Flow:
        """A `Flow` with the network. Opened by the first part: Ray writes pages if a process does not start."""
        from keras_gan.console import load_keras
        from keras_gan.generators import Generator
        from keras_gan.training.network_files import opened as opened_network

        load_keras()
        fs, path = opened(self.job.at(".job", self.job.facts.file))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, self.job.facts.file)
            file.write_bytes(fs.cat_file(path))
            generator = Generator(opened_network(file), file, comment=self.job.facts.comment)
        generator.config = self.job.facts.config
        return flow_of(self.job, generator)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return self.staged(row, self.job)

    def translate(self, part: Part, job: Job) -> Part:
        """Translates a part in the batches that `translate` makes of a folder, so that the pictures are the same."""
        size = self.flow.batch_size
        done: list[Item] = []
        for batch in (part.items[start : start + size] for start in range(0, len(part.items), size)):
            pixels = [item.pixels for item in batch if item.pixels is not None]
            is_whole = all(item.is_there or item.fault for item in batch)
            results = iter([None] * len(pixels) if is_whole else self.flow.translated(pixels))
            done += [item._replace(pixels=next(results)) if item.pixels is not None else item for item in batch]
        part.items = done
        return part


@stage
def write(part: Part, job: Job) -> Part:
    """Encodes and writes the results of a part, and its note."""
    good = [item for item in part.items if not item.fault]
    pictures = [
        (item.name, encoded(os.path.splitext(item.name)[1], item.pixels, item.is_deep))
        for item in good
        if not item.is_there
    ]
    skipped = [{"input": item.given, "reason": item.fault} for item in part.items if item.fault]
    note = part.note | {"done": len(good), "skipped": skipped}
    job.save_part(part.source, part.number, pictures, note, {item.name: item.given for item in good})
    return Part(part.source, part.number, part.is_last, is_done=True)
