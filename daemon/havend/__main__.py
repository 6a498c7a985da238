"""`python -m havend` is the `havenfs` command."""

from __future__ import annotations

import gc
import sys

gc.disable()  # what is being loaded stays: to walk it for garbage is 3 % of a start. `main` enables it

from .cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
