"""Asking for vectors over a real unix socket, from a server that behaves as told."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest

from havenfs.errors import EncoderUnavailable
from havenfs.models import registry
from havenfs.retrieval import encoder as encoders
from havenfs.retrieval.encoder import LocalEncoder, SocketEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

VECTOR = np.array([0.6, 0.8], np.float32)


def answer(model: str = "m@1", vector: np.ndarray = VECTOR) -> bytes:
    return (
        json.dumps(
            {"model": model, "vector": base64.b64encode(vector.astype("<f4").tobytes()).decode()}
        ).encode()
        + b"\n"
    )


class Server:
    """Answers each question with what *reply* makes of its text; None means silence."""

    def __init__(self, path: Path, reply: Callable[[str], bytes | None]) -> None:
        self.questions: list[str] = []
        self._reply = reply
        self._silent: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        directory = os.open(path.parent, os.O_PATH)
        self._listener.bind(f"/proc/self/fd/{directory}/{path.name}")
        os.close(directory)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)  # noqa: TID251 -- the client blocks; no event loop here
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            line = connection.makefile().readline()
            if not line:
                connection.close()
                return
            text = json.loads(line)["text"]
            self.questions.append(text)
            reply = self._reply(text)
            if reply is None:
                self._silent.append(connection)
                continue
            connection.sendall(reply)
            connection.close()

    def close(self, path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as last:
            directory = os.open(path.parent, os.O_PATH)
            last.connect(f"/proc/self/fd/{directory}/{path.name}")
            os.close(directory)
        self._thread.join()
        for connection in self._silent:
            connection.close()
        self._listener.close()
        path.unlink()


@contextmanager
def serving(path: Path, reply: Callable[[str], bytes | None]) -> Generator[Server]:
    server = Server(path, reply)
    try:
        yield server
    finally:
        server.close(path)


def test_a_question_is_answered_with_the_model_and_its_vector(tmp_path: Path):
    path = tmp_path / "encoder.sock"
    with serving(path, lambda _: answer()) as server:
        model, vector = SocketEncoder(path).encode('dog "on" a\nbeach ☀')
    assert model == "m@1"
    assert vector.dtype == np.float32
    np.testing.assert_array_equal(vector, VECTOR)
    assert server.questions == ['dog "on" a\nbeach ☀']


def test_paths_longer_than_a_socket_address_work(tmp_path: Path):
    directory = tmp_path / ("d" * 120) / ("e" * 120)
    directory.mkdir(parents=True)
    with serving(directory / "encoder.sock", lambda _: answer()):
        assert SocketEncoder(directory / "encoder.sock").encode("x")[0] == "m@1"


def test_no_descriptor_is_left_behind(tmp_path: Path):
    path = tmp_path / "encoder.sock"
    with serving(path, lambda _: answer()):
        encoder = SocketEncoder(path)
        encoder.encode("warm")
        before = len(os.listdir("/proc/self/fd"))
        for number in range(20):
            encoder.encode(str(number))
        deadline = time.monotonic() + 2  # the server closes its side a moment later
        while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(os.listdir("/proc/self/fd")) <= before


def test_a_question_is_asked_once(tmp_path: Path):
    path = tmp_path / "encoder.sock"
    with serving(path, lambda _: answer()) as server:
        encoder = SocketEncoder(path)
        first = encoder.encode("dog")[1]
        encoder.encode("cat")
        assert encoder.encode("dog")[1] is first
        assert server.questions == ["dog", "cat"]


def test_what_is_kept_cannot_be_changed_by_its_readers(tmp_path: Path):
    path = tmp_path / "encoder.sock"
    with serving(path, lambda _: answer()):
        vector = SocketEncoder(path).encode("dog")[1]
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 1


def test_the_oldest_question_is_forgotten_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(encoders, "REMEMBERED", 2)
    path = tmp_path / "encoder.sock"
    with serving(path, lambda _: answer()) as server:
        encoder = SocketEncoder(path)
        for text in ("a", "b", "a", "c", "a", "b"):
            encoder.encode(text)
        assert server.questions == ["a", "b", "c", "b"]


def test_vectors_of_the_model_before_are_forgotten_when_another_answers(tmp_path: Path):
    path = tmp_path / "encoder.sock"
    models = {"dog": "old@1", "cat": "new@2"}
    with serving(path, lambda text: answer(models[text])) as server:
        encoder = SocketEncoder(path)
        assert encoder.encode("dog")[0] == "old@1"
        models["dog"] = "new@2"
        assert encoder.encode("cat")[0] == "new@2"
        assert encoder.encode("dog")[0] == "new@2"
        assert encoder.encode("cat")[0] == "new@2"
        assert server.questions == ["dog", "cat", "dog"]


def test_kept_vectors_grow_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(encoders, "FRESH_S", 0.0)
    path = tmp_path / "encoder.sock"
    with serving(path, lambda _: answer()) as server:
        encoder = SocketEncoder(path)
        encoder.encode("dog")
        encoder.encode("dog")
        assert server.questions == ["dog", "dog"]


def test_nobody_there_is_known_at_once_and_works_when_somebody_comes(tmp_path: Path):
    path = tmp_path / "encoder.sock"
    encoder = SocketEncoder(path)
    with pytest.raises(EncoderUnavailable, match="is not running"):
        encoder.encode("dog")
    with serving(path, lambda _: answer()):
        assert encoder.encode("dog")[0] == "m@1"


def test_a_missing_state_directory_is_nobody_there(tmp_path: Path):
    with pytest.raises(EncoderUnavailable, match="is not running"):
        SocketEncoder(tmp_path / "none" / "encoder.sock").encode("dog")


def test_a_stale_socket_is_nobody_there(tmp_path: Path):
    path = tmp_path / "encoder.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with pytest.raises(EncoderUnavailable, match="is not running"):
        SocketEncoder(path).encode("dog")


def test_silence_is_waited_for_once_and_not_by_every_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(encoders, "ANSWER_S", 0.3)
    path = tmp_path / "encoder.sock"
    with serving(path, lambda _: None) as server:
        encoder = SocketEncoder(path)
        start = time.monotonic()
        for number in range(5):
            with pytest.raises(EncoderUnavailable, match="does not answer"):
                encoder.encode(str(number))
        assert 0.3 <= time.monotonic() - start < 1.5
        assert server.questions == ["0"]


def test_questions_that_are_kept_are_answered_even_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(encoders, "ANSWER_S", 0.2)
    path = tmp_path / "encoder.sock"
    with serving(path, lambda text: answer() if text == "dog" else None):
        encoder = SocketEncoder(path)
        encoder.encode("dog")
        with pytest.raises(EncoderUnavailable):
            encoder.encode("cat")
        assert encoder.encode("dog")[0] == "m@1"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b'{"error": "the model is damaged"}\n', "the model is damaged"),
        (b"", "broke off"),
        (b'{"model": "m"', "broke off"),
        (b"nonsense\n", "an answer that is none"),
        (b"[1]\n", "an answer that is none"),
        (b'{"model": "m"}\n', "half an answer"),
        (b'{"model": "m", "vector": "***"}\n', "an answer that is none"),
        (b'{"model": "m", "vector": "AAA="}\n', "an answer that is none"),
        (b'{"model": "m", "vector": ""}\n', "an empty vector"),
        (b'{"model": "m", "vector": "AADAfw=="}\n', "an empty vector"),
    ],
)
def test_answers_that_are_none_are_no_vectors(tmp_path: Path, reply: bytes, words: str):
    path = tmp_path / "encoder.sock"
    with serving(path, lambda _: reply), pytest.raises(EncoderUnavailable, match=words):
        SocketEncoder(path).encode("dog")


def test_the_local_encoder_gives_what_the_model_gives():
    model = registry.builtin()
    encoder = LocalEncoder(model)
    found, vector = encoder.encode("a photo of a dog")
    assert found == model.id
    assert vector.shape == (model.dimension,)
    assert float(vector @ vector) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(encoder.encode("a photo of a dog")[1], vector)


def test_importing_the_encoder_loads_no_model_runtime():
    code = "import sys, havenfs.retrieval.encoder; print('onnxruntime' in sys.modules, 'tokenizers' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False False"
