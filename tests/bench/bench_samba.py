"""SMB sequential read: the share on the mount against the share on the disk, in one smbd (bar F16).

`ratio(mount, disk, name)` for the comparison of mounts; run as a program it makes a mount of its own. Needs root.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROUNDS = 5
SIZE = 512 << 20  # bytes: a second or two a round


def _conftest() -> Any:
    """The smbd of the tests."""
    path = Path(__file__).parents[1] / "e2e/samba/conftest.py"
    spec = importlib.util.spec_from_file_location("samba_conftest", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ratio(
    mount: Path, disk: Path, name: str, *, rounds: int = ROUNDS
) -> tuple[float, float, float]:
    """Read *name*, which lies below both, with smbclient in turn; MB/s of the mount, of the disk (medians), and the
    median of the rounds' ratios."""
    with tempfile.TemporaryDirectory(prefix="haven-") as directory:
        Path(directory).chmod(0o755)
        shares = {"mount": mount, "disk": disk}
        speeds: dict[str, list[float]] = {share: [] for share in shares}
        with _conftest().serving(Path(directory) / "smb", shares) as served:
            for number in range(rounds + 1):
                for share in sorted(shares, reverse=bool(number % 2)):
                    start = time.perf_counter()
                    said = served[share].ask(f"get {name} /dev/null")
                    seconds = time.perf_counter() - start
                    assert "getting file" in said, said
                    if number:  # the first round warms the page cache
                        speeds[share].append((disk / name).stat().st_size / seconds / 1e6)
    ratios = [a / b for a, b in zip(speeds["mount"], speeds["disk"], strict=True)]
    return (
        statistics.median(speeds["mount"]),
        statistics.median(speeds["disk"]),
        statistics.median(ratios),
    )


def main() -> None:
    """A library of one large file, over each transport."""
    with tempfile.TemporaryDirectory(prefix="haven-") as directory:
        root = Path(directory)
        root.chmod(0o755)
        (root / "disk").mkdir()
        with (root / "disk/big.bin").open("wb") as file:
            block = os.urandom(1 << 20)
            for _ in range(SIZE >> 20):
                file.write(block)
        subprocess.run(
            [
                sys.executable,
                "-m",
                "havend",
                "index",
                "run",
                "--once",
                "--source",
                root / "disk",
                "--state",
                root / "state",
            ],
            check=True,
        )
        for transport in ("pyfuse3", "direct"):
            point = root / transport
            point.mkdir()
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "havend",
                    "mount",
                    "--state",
                    root / "state",
                    "--mount",
                    point,
                    "--transport",
                    transport,
                ]
            )
            try:
                while not point.is_mount() or not os.listdir(point):
                    assert process.poll() is None
                    time.sleep(0.05)
                mount, disk, share = ratio(point / "files/disk", root / "disk", "big.bin")
                print(
                    f"{transport}: mount {mount:.0f} MB/s, disk {disk:.0f} MB/s, ratio {share:.2f}"
                )
            finally:
                process.terminate()
                process.wait(15)
                point.rmdir()  # fails, and rightly, if it is still mounted


if __name__ == "__main__":
    main()
