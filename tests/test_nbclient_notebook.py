"""The example that is a notebook runs, and shows what it says."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "examples" / "range_test.ipynb"
SECONDS = 1200  # at most, for a cell: it takes five, but shared machines are slow at times


def read():
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def shown():
    """What each cell of code shows, by kind."""
    notebook = read()
    NotebookClient(notebook, timeout=SECONDS, kernel_name="python3").execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [[output.get("data", {}) for output in cell.outputs] for cell in cells]


def test_it_is_committed_without_outputs():
    cells = [cell for cell in read().cells if cell.cell_type == "code"]

    assert len(cells) >= 4
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


def test_a_test_bounds_and_a_schedule_show_themselves(shown):
    for number, text in ((1, "200 recorded"), (2, "max_lr"), (3, "Triangular2(")):
        (data,) = shown[number]
        assert "<svg" in data["text/html"]
        assert text in data["text/html"]


def test_matplotlib_draws_inline(shown):
    (data,) = shown[4]
    assert "image/png" in data
