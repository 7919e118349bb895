"""How long blocks take on a cluster: a model of few numbers.

Every worker has two blocks in work, so that one is read or written while the other is computed. The
time is that of what is busiest: the processors, the workers' own connections, the store that all
read and write, or the scheduler that hands out the blocks one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass

IN_WORK = 2
"""Blocks that a worker has in work at once."""


@dataclass(frozen=True)
class Cluster:
    """What a cluster can do.

    Attributes
    ----------
    workers : int
        Machines.
    network : float
        Bytes a second between one of them and the store.
    store : float
        Bytes a second that the store reads and writes, for all together.
    latency : float
        Seconds until a read or a write begins.
    dispatch : float
        Seconds that the scheduler takes for a block.
    """

    workers: int
    network: float = 1.25e9
    store: float = float("inf")
    latency: float = 1e-3
    dispatch: float = 1e-3


@dataclass(frozen=True)
class Load:
    """What is to be done.

    Attributes
    ----------
    blocks : int
        How many.
    read, written : float
        Bytes of each; margins that neighbours read as well are counted.
    seconds : float
        That a worker computes each.
    """

    blocks: int
    read: float
    written: float
    seconds: float


@dataclass(frozen=True)
class Prediction:
    """How long it takes, and why.

    Attributes
    ----------
    seconds : float
        From the first block to the last.
    bound : str
        What is busiest.
    """

    seconds: float
    bound: str


def predict(load: Load, cluster: Cluster) -> Prediction:
    """The time that blocks take on a cluster.

    Parameters
    ----------
    load : Load
        What is to be done.
    cluster : Cluster
        By whom.

    Returns
    -------
    Prediction
        Seconds, and what they are spent on.

    Examples
    --------
    >>> from multiconv.outofcore import Cluster, Load, predict
    >>> load = Load(blocks=1000, read=5e7, written=1e8, seconds=0.2)
    >>> prediction = predict(load, Cluster(workers=10))
    >>> round(prediction.seconds, 1), prediction.bound
    (20.1, 'computing')
    """
    moved = load.read + load.written
    transfer = moved / cluster.network
    alone = load.seconds + transfer + 2 * cluster.latency
    each = -(-load.blocks // cluster.workers)  # of the worker that has the most
    times = {
        "computing": each * load.seconds,
        "the network": each * transfer,
        "the store": load.blocks * moved / cluster.store,
        "the scheduler": load.blocks * cluster.dispatch,
        "waiting": each * alone / IN_WORK,
    }
    bound = max(times, key=lambda name: times[name])
    beside = {"computing": alone - load.seconds, "the network": alone - transfer}
    return Prediction(times[bound] + beside.get(bound, alone), bound)
