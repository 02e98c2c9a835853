"""Tables: tidy metrics, and their summary beside published values, as CSV, Markdown and LaTeX. Imports no torch."""

from wae.table.claims import Claim, Order, read_claims
from wae.table.differences import differences
from wae.table.summary import protocols, summarise
from wae.table.tex import write_tex
from wae.table.tidy import DATA, METRICS, Metric, TableError, collect, read_metrics
from wae.table.verdicts import Verdict, judge
from wae.table.write import write_csv, write_md

__all__ = [
    "DATA",
    "METRICS",
    "Claim",
    "Metric",
    "Order",
    "TableError",
    "Verdict",
    "collect",
    "differences",
    "judge",
    "protocols",
    "read_claims",
    "read_metrics",
    "summarise",
    "write_csv",
    "write_md",
    "write_tex",
]
