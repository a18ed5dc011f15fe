"""Small series of deaths that the tests of excess deaths share."""

import numpy as np
import pandas as pd


def weeks(count, *, first="2015-01-05", deaths=100.0, people=1_000_000.0):
    """Weeks from a Monday on, the same number of deaths in each."""
    dates = pd.date_range(first, periods=count, freq="7D")
    return pd.DataFrame({"date": dates, "deaths": deaths, "population": people})


def months(first, count, deaths):
    """Months, named by their first day."""
    return pd.DataFrame({"date": pd.date_range(first, periods=count, freq="MS"), "deaths": deaths})


def noisy(count=312, series=1, seed=3):
    """Weekly counts with a season and a rising trend."""
    rng = np.random.default_rng(seed)
    week = np.arange(count)
    mean = 50 * np.exp(0.0005 * week + 0.2 * np.cos(2 * np.pi * week / 52.18))
    parts = [weeks(count).assign(deaths=rng.poisson(mean * (1 + at)), area=f"{at:02}") for at in range(series)]
    return pd.concat(parts, ignore_index=True)
