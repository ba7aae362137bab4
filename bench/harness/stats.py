# SPDX-License-Identifier: Apache-2.0
"""Medians of rounds, and ratios of rounds that were run side by side."""

from dataclasses import dataclass
from statistics import median


class Spread:
    """The median of some values, with the least and the greatest."""

    def __init__(self, values):
        self.values = list(values)
        self.mid = median(self.values)
        self.low = min(self.values)
        self.high = max(self.values)


def ratios(ours, theirs):
    """Round by round; a round that only one of them has does not count."""
    return Spread(a / b for a, b in zip(ours, theirs) if b > 0)


@dataclass
class Figure:
    """What a line of goals.py measured: its value with the least and greatest of the rounds,
    and the absolute figures behind it."""
    value: Spread
    ours: str
    theirs: str = ""
