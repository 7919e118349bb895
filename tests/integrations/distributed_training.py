"""Data-parallel training of layers on the engine; prints each step's loss as JSON.

python distributed_training.py PROCESSES FOLDER
"""

import json
import sys
from pathlib import Path

import torch
from torch import distributed, multiprocessing, nn
from torch.nn.parallel import DistributedDataParallel

import multiconv.torch as ours

STEPS, BATCH = 5, 6


def model():
    torch.manual_seed(4)
    return nn.Sequential(
        ours.Conv2d(2, 4, (3, 2), padding=1), nn.ReLU(), ours.ConvTranspose2d(4, 3, 2, stride=2),
        nn.ReLU(), ours.Conv2d(3, 2, 3, padding="same"), nn.Flatten(), nn.Linear(336, 3),
    )  # fmt: skip


def batch():
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(BATCH, 2, 6, 6, generator=generator)
    return x, torch.randint(0, 3, (BATCH,), generator=generator)


def train(network, part):
    """The losses of a few steps on one part of the batch."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
    losses, (x, target) = [], batch()
    for _ in range(STEPS):
        loss = nn.functional.cross_entropy(network(x[part]), target[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def worker(rank, processes, folder):
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=processes
    )
    losses = train(DistributedDataParallel(model()), slice(rank, None, processes))
    distributed.all_reduce(losses)
    if rank == 0:
        Path(folder, "losses.json").write_text(json.dumps((losses / processes).tolist()))
    distributed.destroy_process_group()


def main(processes, folder):
    if processes == 1:
        print(json.dumps(train(model(), slice(None)).tolist()))
        return
    multiprocessing.spawn(worker, (processes, folder), nprocs=processes)
    print(Path(folder, "losses.json").read_text())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
