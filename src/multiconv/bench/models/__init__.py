"""Whole networks, in inference and in training; imports torch.

`networks/` holds their definitions, `_entries.py` what is run of them and what they are to reach,
`contestants/` the ways to run them.
"""

from ._entries import families, lightest, select
from ._runner import run
from ._threads import threads, versions

__all__ = ["families", "lightest", "run", "select", "threads", "versions"]
