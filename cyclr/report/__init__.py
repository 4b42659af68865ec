"""A page to look at: range tests, bounds to drag, and the schedule that results, in one file.

    runs, policies, code -> page

Python computes all that is a formula; the page, of page.html, page.css and the scripts beside
them, scales and draws it with plotly.js, which comes from the installed Python package.
"""

from cyclr.report.page import Page, plotly_js
from cyclr.report.runs import Run

__all__ = ["Page", "Run", "plotly_js"]
