"""How often each defect is planted: the rates of the domain page on data quality, §7, in two profiles.

`basis` says what a rate is a share of: units, forms (unit × month × data set), cells (values), eligible
cells, unit-quarters, unit-years, series (unit × element).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Defect:
    """One kind of defect and its rate in the light profile."""

    kind: str
    rate: float
    basis: str


HEAVY_FACTOR = 2.5
PROFILES = {"light": 1.0, "heavy": HEAVY_FACTOR}

DEFECTS = {
    defect.kind: defect
    for defect in (
        Defect("A1", 0.04, "forms"),  # report missing at random
        Defect("A2", 0.02, "units"),  # remote or busy unit misses whole months
        Defect("A3", 0.015, "units"),  # starts late or stops, without a date
        Defect("A4", 0.15, "reported forms"),  # late
        Defect("A5_empty", 0.01, "forms"),  # marked complete, but empty
        Defect("A5_unmarked", 0.02, "forms"),  # data, but not marked
        Defect("A6_blank", 0.08, "cells that are 0"),  # zero left blank
        Defect("A6_zero", 0.03, "missing forms"),  # missing report stored as zeros
        Defect("A7", 0.005, "units"),  # reports a form that is not assigned: received > expected
        Defect("B1", 0.0015, "cells >= 10"),  # extra digit
        Defect("B2", 0.0010, "cells >= 10"),  # lost digit
        Defect("B3", 0.0015, "cells >= 10 with two different first digits"),
        Defect("B5", 0.03, "unit-quarters"),  # cumulative reported as period
        Defect("B6", 0.005, "forms"),  # two months in one
        Defect("B7", 0.01, "forms"),  # previous month copied
        Defect("B8", 0.05, "units"),  # rounding to 0 and 5
        Defect("B9", 0.002, "cells >= 10"),  # separators, NBSP, unit words
        Defect("B10", 0.0005, "cells >= 10"),  # percent, negative, fraction
        Defect("B11", 0.003, "forms"),  # sent twice, different values
        Defect("B12", 0.005, "units"),  # invented, far too smooth
        Defect("C1", 0.01, "forms with a total"),  # part > total, parts ≠ total
        Defect("C2", 0.003, "forms with doses"),  # dose 3 > dose 1, 4 visits > 1 visit
        Defect("C3", 0.002, "forms with admissions"),  # deaths > admissions
        Defect("C4", 0.01, "forms with deliveries"),  # attended < in facility
        Defect("C5", 0.04, "unit-years"),  # coverage over 100 %
        Defect("D1", 0.02, "series"),  # level shift
        Defect("E2", 0.005, "units"),  # double listed
        Defect("E3", 0.02, "units"),  # name misspelt
        Defect("E5", 0.01, "units"),  # population jumps
        Defect("E6", 0.02, "forms"),  # a value revised after publication
    )
}


def defect_rate(kind: str, profile: str) -> float:
    """The planned rate of one kind of defect in a profile ("light" or "heavy")."""
    return min(0.5, DEFECTS[kind].rate * PROFILES[profile])
