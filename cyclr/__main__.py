"""The command, also as ``python -m cyclr``."""

import sys

from cyclr.cli import main

if __name__ == "__main__":
    sys.exit(main())
