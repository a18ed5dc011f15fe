"""One interval from counts, completeness, redistribution and denominators: arrays beside the loop that one writes by hand.

Both draw the same four sources with the same parameters (2 sexes × 18 ages × 100 causes, ten packages of garbage codes) and
give the age-standardised rate of every cause with percentile limits. Ours gives the shares of the sources besides, that is
eight more simulations; the loop gives none. `--large` is the size asked for: 63 provinces, 1,000 draws.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from measuring import compare, options, present

from mortality.measures.uncertainty import SharePackage, simulate_rates
from tkyt_analysis.reference.ages import FIVE_YEAR_85
from tkyt_analysis.reference.standard_populations import standard_population

CAUSES, PACKAGES, TARGETS, DRAWS = 100, 10, 30, 1_000
COMPLETENESS, DENOMINATOR_ERROR, CONCENTRATION = (0.85, 0.80, 0.90), 0.02, 50.0
SEXES, AGES = ("male", "female"), FIVE_YEAR_85
STANDARD = "who_2000_2025"


def deaths_and_population(places: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Poisson deaths of `places` provinces (about 11,000 each) by sex, age and cause, and persons."""
    rng = np.random.default_rng(3)
    units = [f"VN2024:{number:02d}" for number in range(1, places + 1)]
    names = ["unit_id", "sex", "age_group", "cause"]
    cells = pd.MultiIndex.from_product([units, SEXES, AGES, [f"c{n:03d}" for n in range(CAUSES)]], names=names)
    mean = np.exp(np.linspace(-2, 2.4, len(AGES)))[None, :, None] * np.ones((places * 2, 1, CAUSES))
    deaths = cells.to_frame(index=False).assign(deaths=rng.poisson(mean).ravel())
    people = pd.MultiIndex.from_product([units, SEXES, AGES], names=names[:3]).to_frame(index=False)
    return deaths, people.assign(persons=np.tile(np.linspace(60_000, 5_000, len(AGES)), 2 * places))


def packages() -> list[SharePackage]:
    """Each of the first causes goes to thirty others in equal shares, as uncertain as fifty known deaths leave them."""
    shares = np.full((1, len(SEXES), len(AGES), TARGETS), 1 / TARGETS)
    rows = np.full((1, 1, 1), CONCENTRATION)
    return [
        SharePackage(np.array([n]), np.arange(PACKAGES, PACKAGES + TARGETS) + n, shares, rows) for n in range(PACKAGES)
    ]


def by_hand(deaths: pd.DataFrame, population: pd.DataFrame, draws: int) -> pd.DataFrame:
    """Province by province and draw by draw, in numpy: the loop that one writes."""
    weights = standard_population(STANDARD, list(AGES))["standard_population"].to_numpy()
    rng, z = np.random.default_rng(1), 1.959964
    middle, (low, high) = _logit(COMPLETENESS[0]), map(_logit, COMPLETENESS[1:])
    found = []
    for unit, rows in deaths.groupby("unit_id"):
        counts = rows["deaths"].to_numpy(float).reshape(len(SEXES), len(AGES), CAUSES)
        persons = population.loc[population["unit_id"] == unit, "persons"].to_numpy().reshape(len(SEXES), len(AGES))
        rates = np.empty((draws, len(SEXES) + 1, CAUSES))
        for number in range(draws):
            score = rng.standard_normal()
            known = 1 / (1 + np.exp(-(middle + score * ((high - middle) if score > 0 else (middle - low)) / z)))
            people = persons * np.exp(DENOMINATOR_ERROR * rng.standard_normal())
            moved = rng.gamma(counts)
            for package in packages():
                leaving = moved[..., package.sources].sum(axis=-1)
                moved[..., package.sources] = 0
                share = rng.dirichlet(np.full(TARGETS, CONCENTRATION / TARGETS), size=(len(SEXES), len(AGES)))
                moved[..., package.targets] += leaving[..., None] * share
            true = moved / known
            rates[number, :2] = 1e5 * (weights[:, None] * true / people[..., None]).sum(axis=1)
            rates[number, 2] = 1e5 * (weights[:, None] * true.sum(axis=0) / people.sum(axis=0)[:, None]).sum(axis=0)
        found.append(np.quantile(rates, [0.025, 0.975], axis=0))
    return pd.DataFrame({"lower": np.stack(found)[:, 0].ravel(), "upper": np.stack(found)[:, 1].ravel()})


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def ours(deaths: pd.DataFrame, population: pd.DataFrame, draws: int) -> pd.DataFrame:
    return simulate_rates(
        deaths, population, completeness=COMPLETENESS, redistribution=packages(), denominator_error=DENOMINATOR_ERROR,
        draws=draws, functionals=("asdr",), standard=STANDARD,
    )  # fmt: skip


def agree() -> None:
    """The two give the same lower limits, up to the noise of the draws (ours adds one death to the upper ones)."""
    deaths, population = deaths_and_population(1)
    mine = ours(deaths, population, DRAWS)
    mine = mine[mine["cause"] != "all"].sort_values(
        ["sex", "cause"], key=lambda column: column.replace({"male": "0", "female": "1"})
    )
    theirs = by_hand(deaths, population, DRAWS)
    targets = np.tile(np.arange(CAUSES) >= PACKAGES, 3)
    ratio = mine["lower"].to_numpy()[targets] / theirs["lower"].to_numpy()[targets]
    assert abs(np.median(ratio) - 1) < 0.02, np.median(ratio)


def peak_memory() -> float:
    """Largest resident size so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    chosen = options(__doc__)
    agree()
    sizes = [2, 4, 8, *([63] if chosen.large else [])]
    memory: dict[int, float] = {}
    cpu: dict[int, float] = {}

    def prepare(size: int) -> dict[str, Callable[[], object]]:
        deaths, population = deaths_and_population(size)

        def simulated() -> None:
            started = time.process_time()
            ours(deaths, population, DRAWS)
            cpu[size] = time.process_time() - started
            memory.setdefault(size, peak_memory())

        ways: dict[str, Callable[[], object]] = {"simulate_rates": simulated}
        if size <= sizes[2]:
            ways["loop by hand"] = lambda: by_hand(deaths, population, DRAWS)
        return ways

    found = compare(sizes, prepare, repeats=chosen.repeats, what="provinces")
    shown = "; ".join(f"{size} provinces {peak:.0f} MB" for size, peak in memory.items())
    used = "; ".join(f"{size} provinces {spent:.1f} s" for size, spent in cpu.items())
    notes = [
        f"{DRAWS:,} draws × 2 sexes × {len(AGES)} ages × {CAUSES} causes, {PACKAGES} packages of {TARGETS} targets. The loop gives the "
        "limits alone; simulate_rates also the share of each source (eight more simulations of the same draws) and the total of sexes.",
        f"Processor time of simulate_rates, which other work on the machine does not lengthen: {used}.",
        f"Largest resident memory after each size, tables of input included: {shown}.",
        "Lower limits of both agree (median ratio within 2 %, checked before the clock starts).",
    ]
    question = "Uncertainty that travels: arrays beside a loop of draws"
    present("bench_uncertainty", question, found, notes, repeats=chosen.repeats, markdown=chosen.markdown)


if __name__ == "__main__":
    main()
