"""Practice data: the files that the ministry would receive, all synthetic, with a truth table."""

from tkyt_analysis.practice.generate import PracticeSummary, make_practice_data
from tkyt_analysis.practice.world import NOTE, SCALES, PracticeSource, Scale, World, create_world

__all__ = [
    "NOTE",
    "SCALES",
    "PracticeSource",
    "PracticeSummary",
    "Scale",
    "World",
    "create_world",
    "make_practice_data",
]
