"""One call on an array of any size, as blocks of its result.

    blocks = Blocks(function, shape, dtype, *args, **options)
    blocks.shape, blocks.dtype, blocks.parts    # of the result; parts is 2 where there are two
    blocks.needed(region)                       # the slices of each axis to read and join
    blocks.run(block, region)                   # what was read -> that region of the result
    blocks.read(source, region)                 # reads and joins, from anything that slices
    Blocks.local(function, shape, dtype, neighbours, **options)    # any function of such a reach

A region is one slice for each axis of the result.
"""

from ._blocks import Blocks, falls_into_blocks

__all__ = ["Blocks", "falls_into_blocks"]
