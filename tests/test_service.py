from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from havenfs import service

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_manager_that_has_ended_is_no_reason_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        service.ready("here")
        assert manager.recv(100) == b"READY=1\nSTATUS=here"
    service.alive()
