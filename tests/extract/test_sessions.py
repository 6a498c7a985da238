"""Which device runs a model, and what is said when the faster one does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from havenfs.errors import ModelError
from havenfs.extract import sessions, trial
from havenfs.models import registry

if TYPE_CHECKING:
    from pathlib import Path

GRAPH = registry.builtin().directory / "visual/model.onnx"


def answer(session: sessions.Session) -> np.ndarray:
    (wanted,) = session.runs.get_inputs()
    return session.runs.run(None, {wanted.name: np.zeros((2, 3, 64, 64), np.float32)})[0]


def test_the_processor_runs_what_nothing_else_can():
    loaded = sessions.session(GRAPH, 1)
    assert (loaded.device, loaded.note) == (sessions.PROCESSOR, None)
    assert answer(loaded).shape == (2, 128)


def test_another_device_is_taken_where_onnxruntime_offers_it(monkeypatch: pytest.MonkeyPatch):
    # The one besides the processor that every build has; it is not in FASTER because it sends graphs away if they ask for it.
    monkeypatch.setattr(sessions, "FASTER", ("AzureExecutionProvider",))
    if "AzureExecutionProvider" not in sessions.ort.get_available_providers():
        pytest.fail("this build of onnxruntime offers nothing besides the processor")
    assert sessions.session(GRAPH, 1).device == "AzureExecutionProvider"


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_device_that_does_not_start_leaves_the_work_to_the_processor_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
):
    offered = sessions.ort.get_available_providers()
    monkeypatch.setattr(
        sessions.ort, "get_available_providers", lambda: ["CUDAExecutionProvider", *offered]
    )
    loaded = sessions.session(GRAPH, 1)
    assert loaded.device == sessions.PROCESSOR
    assert loaded.note is not None
    assert "CUDAExecutionProvider is installed but does not start" in loaded.note
    assert answer(loaded).shape == (2, 128)


def test_a_file_that_is_no_graph_is_an_error_that_names_it(tmp_path: Path):
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"model\.onnx cannot be loaded"):
        sessions.session(tmp_path / "model.onnx", 1)


def test_the_yardstick_measures_this_machine():
    assert 0 < trial.yardstick(threads=1) < 10_000


def test_the_built_in_model_can_be_tried_out():
    found = trial.run(registry.builtin(), threads=1)
    assert found.picture_ms is not None
    assert found.text_ms is not None
    assert found.device == sessions.PROCESSOR
    assert found.memory > 0
