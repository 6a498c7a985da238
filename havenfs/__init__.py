"""HavenFS: a household's library as a file system whose folders are answers."""

import os

__version__ = "0.1.0"

# ONNX Runtime's official Linux builds report to Microsoft unless told not to (since 1.29: a device id in ~/.cache, events
# about every model loaded). Nothing leaves the house: said here, before anything of ours can import it, and inherited by
# every process that we start.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
