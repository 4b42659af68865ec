"""The benchmarks are not installed: they come from the checkout, cyclr from where it is."""

import pathlib
import sys

ROOT = str(pathlib.Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.append(ROOT)  # at the end, so that an installed cyclr comes first
