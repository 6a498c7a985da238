"""A worker: the process that opens hostile files and runs models. `python -m havend.worker`, started by the indexer.

Reads requests on stdin, answers on stdout, one after the other, until stdin ends. Has no catalog, no network and a cap
on its memory (`havend.confine`). A bad file is an answer; anything else that goes wrong ends the process, and the
indexer starts another.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from havenfs.config import Budget, State
from havenfs.errors import ModelError, SourceGone, Unreadable

from . import confine
from .admission import Admission
from .protocol import (
    LARGEST,
    LENGTH,
    REQUESTS,
    Answer,
    Bad,
    Encoded,
    EncodeText,
    Found,
    Gone,
    Identified,
    Identify,
    Locate,
    Located,
    Look,
    NoModel,
    Ready,
    Request,
    frame,
)

if TYPE_CHECKING:
    from havenfs.extract.clip import PictureEncoder, TextEncoder
    from havenfs.extract.faces import FaceFinder


class Worker:
    """Answers requests, keeping what is expensive to load. One thread, one request at a time."""

    def __init__(self, state: State, admitted: Admission, *, threads: int) -> None:
        self._state = state
        self._admitted = admitted
        self._threads = threads
        self._pictures: PictureEncoder | None = None
        self._texts: TextEncoder | None = None
        self._faces: FaceFinder | None = None

    def answer(self, request: Request) -> Answer:
        """Do what is asked. What it raises is a bug."""
        if isinstance(request, Identify | Look) and not self._admitted.allows(request.path):
            return Gone("its disk was not there when this worker was shut in", anew=True)
        try:
            match request:
                case Identify():
                    return self._identify(request)
                case Look():
                    return self._look(request)
                case EncodeText():
                    return self._encode(request)
                case Locate():
                    return self._locate(request)
        except ModelError as error:
            return NoModel(str(error))

    # The imports below are where they are because they are expensive: hashing needs no decoder, a query no Pillow.

    def _identify(self, request: Identify) -> Answer:
        from havenfs.extract.identify import identify

        try:
            return Identified(identify(request.path))
        except Unreadable as error:
            return Bad(str(error))
        except SourceGone as error:
            return Gone(str(error))

    def _look(self, request: Look) -> Answer:
        from havenfs.entities import Stage
        from havenfs.extract.visit import Visit, visit

        asked = Visit(
            path=request.path,
            relative=request.relative,
            kind=request.kind,
            mime=request.mime,
            mtime_ns=request.mtime_ns,
            stages=request.stages,
            large=request.large,
        )
        try:
            encoder = self._picture_encoder() if Stage.EMBED in request.stages else None
            finder = self._face_finder() if Stage.FACES in request.stages else None
            return Found(visit(asked, encoder, finder))
        except MemoryError:
            return Bad("it needs more memory than a decoder may have here")
        except SourceGone as error:
            return Gone(str(error))

    def _encode(self, request: EncodeText) -> Answer:
        if self._texts is None or self._texts.model != request.model:
            from havenfs.extract.clip import TextEncoder
            from havenfs.models import registry
            from havenfs.models.manifest import ModelKind

            self._texts = None  # not two of them in memory
            model = registry.named(self._state, request.model, ModelKind.CLIP)
            self._texts = TextEncoder(model, threads=self._threads)
        vector = self._texts.encode(request.text)
        return Encoded(model=self._texts.model, vector=vector.astype("<f4").tobytes())

    def _locate(self, request: Locate) -> Answer:
        from havenfs.extract import geography

        look = geography.city_at if request.centre else geography.locality
        return Located(look(request.latitude, request.longitude))

    def _picture_encoder(self) -> PictureEncoder:
        if self._pictures is None:
            from havenfs.extract.clip import PictureEncoder
            from havenfs.models import registry

            self._pictures = PictureEncoder(registry.active(self._state), threads=self._threads)
        return self._pictures

    def _face_finder(self) -> FaceFinder:
        if self._faces is None:
            from havenfs.extract.faces import FaceFinder
            from havenfs.models import registry
            from havenfs.models.manifest import ModelKind

            model = registry.active(self._state, ModelKind.FACES)
            self._faces = FaceFinder(model, threads=self._threads)
        return self._faces


def serve(
    worker: Worker, requests: BinaryIO, answers: BinaryIO, walls: tuple[str, ...] = ()
) -> None:
    """Say that all is well (and which walls are missing), then answer until *requests* ends."""
    answers.write(frame(Ready(walls=walls)))
    answers.flush()
    while head := requests.read(LENGTH.size):
        (length,) = LENGTH.unpack(head)
        if length > LARGEST:
            raise ValueError(f"a request of {length} bytes")
        answers.write(frame(worker.answer(REQUESTS.decode(requests.read(length)))))
        answers.flush()


def _models(state: State) -> list[bytes]:
    """Where models are; one that is a link may lie anywhere."""
    found = [bytes(state.models)]
    with contextlib.suppress(OSError):
        found += [bytes(path.resolve()) for path in state.models.iterdir() if path.is_symlink()]
    return found


def main() -> None:
    """The process. Ends with status 0 when stdin ends or nobody reads the answers."""
    parser = argparse.ArgumentParser(prog="havend.worker", description=__doc__)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--parent", type=int, required=True, help="pid of the indexer")
    parser.add_argument("--memory", type=int, default=confine.MEMORY, help="bytes")
    parser.add_argument("--threads", type=int, default=1, help="of one run of a model")
    parser.add_argument(
        "--budget",
        type=Budget,
        help="how low its priority is; without, somebody waits for the answers",
    )
    parser.add_argument("--scratch", type=Path, help="the one directory that it may write to")
    parser.add_argument(
        "--readable", type=Path, action="append", default=[], help="a directory of originals"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    # Libraries print where they please: what they write to stdout goes to stderr, the answers to a descriptor of ours.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    state = State(root=arguments.state)
    admitted = Admission([bytes(root) for root in arguments.readable])
    walls = confine.confine(
        arguments.parent,
        memory=arguments.memory,
        budget=arguments.budget,
        readable=[*_models(state), *admitted.roots],
        scratch=arguments.scratch,
    )
    # Before the first file, so that a broken installation is not taken for a broken file; and only what is needed.
    import_module("havenfs.extract.visit" if arguments.budget else "havenfs.extract.clip")
    worker = Worker(state, admitted, threads=arguments.threads)
    try:
        serve(worker, sys.stdin.buffer, answers, walls)
    except BrokenPipeError:
        raise SystemExit(0) from None


if __name__ == "__main__":
    main()
