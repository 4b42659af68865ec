"""From the range test to a trained model under Lightning: the example, on real data."""

import runpy
from pathlib import Path

import pytest

from hosts.modules_of_lightning import IGNORED

EXAMPLE = Path(__file__).parents[2] / "examples" / "lightning_digits.py"

pytestmark = [pytest.mark.filterwarnings(ignored) for ignored in IGNORED]


@pytest.mark.framework("sklearn")
def test_it_finds_its_bounds_trains_three_cycles_and_stops(capsys):
    runpy.run_path(str(EXAMPLE), run_name="__main__")

    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("max_lr")
    name, accuracy = printed[-1].split(": ")
    assert name == "Triangular2 between these bounds, 12 epochs"  # of 100: three cycles of 4
    assert float(accuracy.rstrip("%")) > 93
