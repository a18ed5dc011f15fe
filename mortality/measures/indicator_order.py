"""The order in which indicators are read: how many die, how long people live, children and mothers, causes, how good the data are."""

from __future__ import annotations

from collections.abc import Iterable

READING_ORDER = (
    "crude_death_rate", "age_standardised_death_rate", "age_specific_death_rate",
    "life_expectancy_at_birth", "life_expectancy_at_65", "adult_mortality_45q15", "under_five_probability_of_dying",
    "neonatal_mortality_rate", "perinatal_mortality_rate", "infant_mortality_rate", "under_five_mortality_rate",
    "maternal_deaths", "maternal_mortality_ratio",
    "premature_ncd_mortality", "years_of_life_lost_rate",
    "suicide_death_rate", "road_traffic_death_rate", "unintentional_poisoning_death_rate", "homicide_death_rate",
    "death_registration_completeness", "garbage_code_share", "ill_defined_share",
)  # fmt: skip
CORRECTED = "corrected_"  # before the id of the indicator that is corrected
SEX_ORDER = ("male", "female", "total")


def reading_place(indicator: str) -> tuple[int, str]:
    """A key to sort ids by: a corrected figure stands right behind the registered one, unknown ids come last."""
    base = indicator.removeprefix(CORRECTED)
    place = 2 * READING_ORDER.index(base) if base in READING_ORDER else 2 * len(READING_ORDER)
    return place + (indicator != base), indicator


def in_reading_order(indicators: Iterable[str]) -> list[str]:
    """The ids, each once, in the order to read them."""
    return sorted(set(indicators), key=reading_place)
