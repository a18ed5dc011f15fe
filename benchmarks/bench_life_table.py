"""Abridged life tables of many series at once, beside the loop over series that one writes in pandas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from measuring import compare, options, present

from mortality.measures.life_table import life_tables
from mortality.measures.life_table_core import LifeTables

AGE = np.array([0, 1, *range(5, 90, 5)])
WIDTH = np.append(np.diff(AGE), np.inf)


def rates(count: int) -> np.ndarray:
    """`count` series of 19 abridged age groups: Gompertz with infancy, levels and slopes drawn."""
    rng = np.random.default_rng(3)
    level, slope = rng.uniform(2e-5, 8e-5, (count, 1)), rng.uniform(0.08, 0.1, (count, 1))
    nmx = level * np.exp(slope * (AGE + 2.5)) + 3e-4
    nmx[:, 0], nmx[:, 1] = rng.uniform(0.005, 0.06, count), rng.uniform(0.0005, 0.004, count)
    return nmx


def one_table(group: pd.DataFrame) -> pd.DataFrame:
    """The textbook steps for one series of males (Coale-Demeny West, Greville from age 10, open group 1 / m)."""
    m = group["mx"].to_numpy()
    a = np.append(WIDTH[:-1] / 2, 1 / m[-1])
    high = m[0] >= 0.107
    a[0], a[1] = (0.330, 1.352) if high else (0.045 + 2.684 * m[0], 1.651 - 2.816 * m[0])
    for at in range(3, len(m) - 1):
        a[at] = 2.5 - 25 / 12 * (m[at] - 0.1 * np.log(m[at + 1] / m[at - 1]))
    q = np.append(WIDTH[:-1] * m[:-1] / (1 + (WIDTH[:-1] - a[:-1]) * m[:-1]), 1.0)
    survivors = 100_000 * np.append(1.0, np.cumprod(1 - q[:-1]))
    died = survivors * q
    lived = np.append(WIDTH[:-1] * survivors[1:] + a[:-1] * died[:-1], survivors[-1] / m[-1])
    remaining = np.cumsum(lived[::-1])[::-1]
    return group.assign(ax=a, qx=q, lx=survivors, dx=died, Lx=lived, Tx=remaining, ex=remaining / survivors)


def main() -> None:
    chosen = options(__doc__)

    def prepare(size: int) -> dict[str, Callable[[], object]]:
        nmx = rates(size)
        rows = pd.DataFrame({"series": np.repeat(np.arange(size), len(AGE)), "mx": nmx.ravel()})
        few = rows[rows["series"] < 20]
        loop = few.groupby("series", group_keys=False)[["mx"]].apply(one_table)["ex"].to_numpy()
        assert np.allclose(life_tables(nmx[:20], AGE, "male").ex.ravel(), loop)

        def ours(closeout: str) -> LifeTables:
            return life_tables(nmx, AGE, "male", closeout=closeout)

        return {
            "life_tables": lambda: ours("inverse"),
            "life_tables, rows": lambda: ours("inverse").to_frame(),
            "life_tables, extrapolate": lambda: ours("extrapolate"),
            "groupby.apply": lambda: rows.groupby("series", group_keys=False)[["mx"]].apply(one_table),
        }

    sizes = [3_125, 12_500, 50_000, *([200_000] if chosen.large else [])]
    found = compare(sizes, prepare, repeats=chosen.repeats, what="tables")
    notes = [
        "19 age groups (0, 1-4, …, 85+) per table; all columns and the status of every row. The life expectancies agree with "
        "the loop's (checked on 20 series before the clock starts).",
        "extrapolate: Makeham's law fitted to the old ages of every series and the table carried on to 130.",
    ]
    question = "Abridged life tables of many series: arrays beside groupby.apply"
    present("bench_life_table", question, found, notes, repeats=chosen.repeats, markdown=chosen.markdown)


if __name__ == "__main__":
    main()
