"""How complete the registration of deaths is: every method by name, many series at once."""

from mortality.measures.completeness.capture_recapture import (
    EMPTY_LIST,
    MODELS,
    NO_MODEL,
    NOT_ASSESSABLE,
    OK,
    PAIRS,
    ROBSON_REGIER,
    TOO_FEW_IN_COMMON,
    CaptureEstimate,
    capture_recapture,
    in_common,
    list_totals,
)

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
    "capture_recapture",
    "in_common",
    "list_totals",
]
