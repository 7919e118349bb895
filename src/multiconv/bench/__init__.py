"""The benchmark: problems timed beside other libraries, and the planner judged by the clock.

Imported by ``multiconv bench`` alone. `problems/` is the one place to add a case.
"""

from ._case import Case
from ._clock import Timing, interleave
from ._problems import Entry, Family, families
from ._runner import case_of

__all__ = ["Case", "Entry", "Family", "Timing", "case_of", "families", "interleave"]
