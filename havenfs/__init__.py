"""HavenFS: a household's library as a file system whose folders are answers."""

import os
import sys

__version__ = "0.1.0"

# ONNX Runtime's official Linux builds report to Microsoft unless told not to (since 1.29: a device id in ~/.cache, events
# about every model loaded). Nothing leaves the house: said here, before anything of ours can import it, and inherited by
# every process that we start.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# msgspec takes one function from typing_extensions where that is installed, and with it inspect, ast and dis: 10 of the 100 ms
# in which a mount is to answer. typing's own does the same since Python 3.11; msgspec takes that where the other is missing.
if "typing_extensions" not in sys.modules:
    sys.modules["typing_extensions"] = None  # pyright: ignore[reportArgumentType]  # "not to be found", to import
    import msgspec as msgspec

    del sys.modules["typing_extensions"]
