"""Results larger than memory: computed block by block, journalled, and whole or not there.

What is computed is the caller's; this package knows blocks, files and failures.
"""

from ._cluster import Cluster, Load, Prediction, predict
from ._grid import Grid, fitting_block
from ._job import Entry, Job, Samples, Stage
from ._lock import locked
from ._run import Interrupted, Summary, run
from ._runners import Done, Runner, on_cluster, on_threads
from ._workspace import partial_path

__all__ = [
    "Cluster",
    "Done",
    "Entry",
    "Grid",
    "Interrupted",
    "Job",
    "Load",
    "Prediction",
    "Runner",
    "Samples",
    "Stage",
    "Summary",
    "fitting_block",
    "locked",
    "on_cluster",
    "on_threads",
    "partial_path",
    "predict",
    "run",
]
