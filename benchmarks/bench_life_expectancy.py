"""Do the limits of life expectancy hold the truth? Places of several sizes with drawn deaths, known rates, both methods."""

from __future__ import annotations

import numpy as np
import pandas as pd
from measuring import options, present

from mortality.measures.life_expectancy import life_expectancy
from mortality.measures.life_table import life_tables, life_tables_from_counts

AGE = [0, 1, *range(5, 90, 5)]
RATES = np.array([0.015, 0.001, *(3e-4 + 4e-5 * np.exp(0.09 * np.arange(7.5, 90, 5)))])
SHARE = np.array([16, 62, *np.linspace(80, 5, 17)])


def one_line(persons: int, method: str, places: int) -> dict[str, str]:
    """Share of `places` whose limits hold the true e0, the width of the limits and the mean error of the figure."""
    population = np.tile(persons * SHARE / SHARE.sum(), (places, 1))
    deaths = np.random.default_rng(1).poisson(RATES * population)
    tables = life_tables_from_counts(deaths, population, AGE, "male")
    found = life_expectancy(tables, at=0, method=method, draws=500)
    truth = life_tables(RATES, AGE, "male").ex[0, 0]
    answered = found[found["status"] == "ok"]
    holds = (answered["lower"] <= truth) & (truth <= answered["upper"])
    return {
        "persons": f"{persons:,}",
        "deaths expected": f"{deaths.sum() / places:,.0f}",
        "way": method,
        "e0 can be computed": f"{len(answered) / places:.1%}",
        "limits hold the truth": f"{holds.mean():.1%}",
        "width (median, years)": f"{(answered['upper'] - answered['lower']).median():.1f}",
        "mean error (years)": f"{answered['value'].mean() - truth:+.2f}",
    }


def main() -> None:
    chosen = options(__doc__)
    sizes = [2_000, 5_000, 20_000, 80_000, 300_000, *([3_000_000] if chosen.large else [])]
    places = {"silcocks": 2_000, "simulation": 500}
    lines = [one_line(persons, method, count) for persons in sizes for method, count in places.items()]
    notes = [
        "95 % limits; 2 000 drawn places (500 for the simulation, 500 draws each), 19 age groups, true e0 "
        f"{life_tables(RATES, AGE, 'male').ex[0, 0]:.1f} years. Deaths only are drawn: incomplete registration is not in it.",
        "Where nobody died in the open age group e0 cannot be computed (closeout 1 / m).",
    ]
    question = "Limits of life expectancy: how often they hold the truth, by size of the place"
    present("bench_life_expectancy", question, pd.DataFrame(lines), notes, repeats=1, markdown=chosen.markdown)


if __name__ == "__main__":
    main()
