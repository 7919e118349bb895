"""Exception types. Every one is also the built-in exception a NumPy user would expect."""


class RefusedError(ValueError):
    """The algorithm that was asked for by name cannot run this problem; the message says why."""


class MemoryLimitError(MemoryError, ValueError):
    """The job would need more memory than the limit; the message names both numbers of bytes."""


class MissingExtraError(ImportError):
    """An optional library is needed and missing; the message says how to install it."""
