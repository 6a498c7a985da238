"""What the benchmark compiles: its own client, and libfuse's C examples with a libfuse that knows passthrough.

Debian 12's libfuse (3.14) cannot pass reads through to the kernel and ships no `passthrough_hp.cc`; a comparison with it
would be won too easily. So the source package of Debian 13 is built, linked statically, once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

CACHE = Path(__file__).parents[3] / ".cache/bench"
SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def client() -> Path:
    """The C program that asks and times."""
    source, made = Path(__file__).with_name("client.c"), CACHE / "client"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", made, source], check=True
        )
    return made


def examples() -> Path:
    """The directory of libfuse's examples, compiled: passthrough, passthrough_fh, passthrough_hp, passthrough_ll."""
    made = CACHE / "libfuse"
    if not (made / "passthrough_hp").exists():
        _compile(_source(), made)
    return made


def release() -> str:
    """Which libfuse the examples were built with."""
    return (CACHE / "libfuse/release").read_text().strip()


def _source() -> Path:
    """Debian's source of libfuse, signatures checked by apt, unpacked. The machine's own apt settings stay as they are."""
    place = CACHE / "source"
    shutil.rmtree(place, ignore_errors=True)
    for part in ("lists/partial", "cache/archives/partial"):
        (place / part).mkdir(parents=True)
    (place / "sources.list").write_text(
        f"deb-src [signed-by={KEYRING}] http://deb.debian.org/debian {SUITE} main\n"
    )
    apt = [
        "apt-get",
        "--quiet=2",
        *("-o", f"Dir::Etc::SourceList={place}/sources.list"),
        *("-o", "Dir::Etc::SourceParts=/dev/null"),
        *("-o", f"Dir::State::Lists={place}/lists"),
        *("-o", f"Dir::Cache={place}/cache"),
        *("-o", "APT::Sandbox::User=root"),
    ]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "source", "--download-only", "fuse3"], cwd=place, check=True)
    (tarball,) = place.glob("fuse3_*.orig.tar.gz")
    subprocess.run(["tar", "xzf", tarball], cwd=place, check=True)
    (unpacked,) = place.glob("fuse-*/")
    return unpacked


def _compile(source: Path, made: Path) -> None:
    log = subprocess.DEVNULL
    subprocess.run(
        [
            *("meson", "setup", "build", "--buildtype=release"),
            *("-Ddefault_library=static", "-Dutils=false", "-Dtests=false"),
        ],
        cwd=source,
        stdout=log,
        check=True,
    )
    subprocess.run(["ninja", "-C", "build"], cwd=source, stdout=log, check=True)
    made.mkdir(parents=True, exist_ok=True)
    for name in ("passthrough", "passthrough_fh", "passthrough_ll", "passthrough_hp"):
        shutil.copy(source / "build/example" / name, made / f"{name}.new")
        os.replace(made / f"{name}.new", made / name)
    (made / "release").write_text(source.name.removeprefix("fuse-"))
