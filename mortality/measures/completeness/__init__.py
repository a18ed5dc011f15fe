"""How complete the registration of deaths is: every method by name, many series at once."""

from mortality.measures.completeness.adair_lopez import adair_lopez
from mortality.measures.completeness.capture_fits import MODELS, PAIRS, in_common, list_totals
from mortality.measures.completeness.capture_recapture import (
    EMPTY_LIST,
    NO_MODEL,
    NOT_ASSESSABLE,
    OK,
    ROBSON_REGIER,
    TOO_FEW_IN_COMMON,
    CaptureEstimate,
    averaged_models,
    capture_recapture,
)
from mortality.measures.completeness.expected import completeness_by_age, expected_deaths, published_deaths
from mortality.measures.completeness.extinct_generations import (
    death_distribution_methods,
    extinct_generation_points,
    ggb_seg,
    synthetic_extinct_generations,
)
from mortality.measures.completeness.growth_balance import (
    brass_growth_balance,
    generalised_growth_balance,
    growth_balance_points,
)
from mortality.measures.completeness.panel import adjusted_rates, completeness_panel
from mortality.measures.completeness.sensitivity import age_range_estimates

__all__ = [
    "EMPTY_LIST",
    "MODELS",
    "NOT_ASSESSABLE",
    "NO_MODEL",
    "OK",
    "PAIRS",
    "ROBSON_REGIER",
    "TOO_FEW_IN_COMMON",
    "CaptureEstimate",
    "adair_lopez",
    "adjusted_rates",
    "age_range_estimates",
    "averaged_models",
    "brass_growth_balance",
    "capture_recapture",
    "completeness_by_age",
    "completeness_panel",
    "death_distribution_methods",
    "expected_deaths",
    "extinct_generation_points",
    "generalised_growth_balance",
    "ggb_seg",
    "growth_balance_points",
    "in_common",
    "list_totals",
    "published_deaths",
    "synthetic_extinct_generations",
]
