"""This library's own times over its history, for asv: the problems of `multiconv bench`.

The problems are the checkout's, whatever commit is measured, so that histories do not break.
"""

from multiconv.bench import Case, case_of, families

LARGEST = 2**22
"""Samples up to which a problem is followed; larger ones take asv too long."""
ENTRIES = {
    str(entry): entry
    for family in families()
    for entry in family.entries
    if family.picture != "growth" and Case(entry).samples <= LARGEST
}


class Problems:
    """One public call, its result included."""

    params = tuple(ENTRIES)
    param_names = ("problem",)
    timeout = 60

    def setup(self, name):
        self.call = case_of(ENTRIES[name]).calls()["multiconv"]
        self.call()

    def time_call(self, name):
        self.call()
