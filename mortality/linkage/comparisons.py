"""What is compared, on which levels, and how much each level is worth before the data have spoken.

A comparison is a ladder of levels, the best first; the first whose condition holds is taken, the last one ("other") is
disagreement (0), and what one of the two records does not know is no evidence at all (-1). Each level carries m, the share
of true pairs on it, u, the share of chance pairs, and where values differ in frequency the column whose share takes the place
of u. The figures are starting values (`model` adapts them to the list): judged from FEBRL-like and drawn Vietnamese lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CLOSE, FAR = 0.88, 0.70  # Jaro-Winkler: a slip of the pen above, another name below


@dataclass(frozen=True)
class Level:
    """One rung: `condition` in SQL over columns with _l and _r; `frequency` names a column tf_<frequency>."""

    key: str
    condition: str
    m: float
    u: float
    frequency: str = ""


@dataclass(frozen=True)
class Comparison:
    """A ladder; `unknown` is the condition under which there is nothing to compare."""

    key: str
    unknown: str
    levels: tuple[Level, ...]

    def number(self, position: int) -> int:
        """The small integer of a level: the best one has the largest number, "other" 0."""
        return len(self.levels) - 1 - position


def _alike(a: str, b: str, least: float = CLOSE) -> str:
    return f"jaro_winkler_similarity({a}, {b}) >= {least}"


_SWAPPED = "(head_l = tail_r AND tail_l = head_r)"
_SHORT = "length(head_l) <= 2 AND starts_with(head_r, head_l) OR length(head_r) <= 2 AND starts_with(head_l, head_r)"
_ENDS = (
    f"((head_l = head_r OR {_SHORT}) AND tail_l = tail_r OR {_SWAPPED} OR family_l = family_r AND given_l = given_r)"
)
_FIRST_SAME = "(head_l = head_r)"
_LAST_SAME = "(tail_l = tail_r)"
_ONE_WORD = "(name_words_l = 1 OR name_words_r = 1)"
_MIDDLE = "(middle_l IS NULL OR middle_r IS NULL OR middle_l = middle_r OR starts_with(middle_l, middle_r) OR starts_with(middle_r, middle_l))"
# Two Vietnamese names whose given names have nothing to do with each other: parent and child, brothers, twins, neighbours.
_OTHER_GIVEN = (
    f"(given_l IS NOT NULL AND given_r IS NOT NULL AND (jaro_winkler_similarity(given_l, given_r) < {FAR} "
    f"OR jaro_winkler_similarity(given_l, given_r) < {CLOSE} AND damerau_levenshtein(given_l, given_r) > 1) "
    "AND NOT ends_with(given_l, given_r) AND NOT ends_with(given_r, given_l) AND given_l <> head_r AND given_l <> tail_r AND given_r <> head_l AND given_r <> tail_l)"
)

NAME = Comparison(
    "name",
    "name_folded_l IS NULL OR name_folded_r IS NULL",
    (
        Level("same_marks", "name_accented_l = name_accented_r", 0.30, 1e-4, "name"),
        Level(
            "same",
            "name_folded_l = name_folded_r AND (name_accented_l IS NULL OR name_accented_r IS NULL)",
            0.30,
            1e-4,
            "name",
        ),
        Level("other_marks", "name_folded_l = name_folded_r", 0.03, 1e-4, "name"),
        Level("order", "name_sorted_l = name_sorted_r OR name_glued_l = name_glued_r", 0.05, 1e-4, "name"),
        Level("middle", f"{_ENDS} AND {_MIDDLE}", 0.05, 3e-4, "ends"),
        Level("dialect", "name_regional_l = name_regional_r", 0.03, 2e-4, "near"),
        Level("household", _OTHER_GIVEN, 1e-6, 0.6),
        Level("other_middle", f"{_ENDS} AND NOT {_alike('middle_l', 'middle_r', FAR)}", 0.004, 3e-4, "ends"),
        Level(
            "slip",
            f"(damerau_levenshtein(name_glued_l, name_glued_r) <= 1 OR (given_l IS NULL OR given_r IS NULL) AND {_alike('name_sorted_l', 'name_sorted_r', 0.95)} OR "
            f"{_FIRST_SAME} AND {_alike('tail_l', 'tail_r')} OR {_LAST_SAME} AND {_alike('head_l', 'head_r')})",
            0.12,
            6e-4,
            "near",
        ),
        Level(
            "slips",
            f"{_alike('head_l', 'head_r', 0.8)} AND {_alike('tail_l', 'tail_r', 0.8)} OR "
            f"{_alike('head_l', 'tail_r', 0.8)} AND {_alike('tail_l', 'head_r', 0.8)}",
            0.05,
            2e-3,
            "far",
        ),
        Level(
            "one_word",
            f"{_ONE_WORD} AND (head_l = head_r OR head_l = tail_r OR tail_l = head_r)",
            0.03,
            5e-3,
            "head",
        ),
        Level("last", "tail_l = tail_r", 0.03, 1e-2, "tail"),
        Level("first", "head_l = head_r OR head_l = tail_r OR tail_l = head_r", 0.03, 2e-2, "head"),
        Level("part", f"{_alike('head_l', 'head_r')} OR {_alike('tail_l', 'tail_r')}", 0.02, 3e-2),
        Level("other", "ELSE", 0.02, 0.9),
    ),
)


def _date_levels(name: str, levels: dict[str, tuple[float, float]]) -> tuple[Level, ...]:
    left, right = f"{name}_digits_l", f"{name}_digits_r"
    day_l, day_r = f"{name}_day_l", f"{name}_day_r"
    apart = f"abs(datediff('day', {day_l}, {day_r}))"
    conditions = {
        "same": f"{left} = {right}",
        "swapped": f"substring({left}, 1, 4) = substring({right}, 1, 4) AND substring({left}, 5, 2) = substring({right}, 7, 2) "
        f"AND substring({left}, 7, 2) = substring({right}, 5, 2)",
        "lunar": f"{name}_lunar_l = {day_r} OR {name}_lunar_r = {day_l} OR {name}_lunar_before_l = {day_r} OR {name}_lunar_before_r = {day_l}",
        "next_day": f"{apart} <= 1",
        "slip": f"damerau_levenshtein({left}, {right}) <= 1",
        "week": f"{apart} <= 7",
        "anniversary": f"{apart} BETWEEN 364 AND 367 OR {apart} BETWEEN 729 AND 732",
        "slips": f"damerau_levenshtein({left}, {right}) <= 2",
        "month": f"{apart} <= 31",
        "year": f"{name}_year_l = {name}_year_r",
        "years": f"abs({name}_year_l - {name}_year_r) <= 2",
        "other": "ELSE",
    }
    return tuple(Level(key, conditions[key], *values) for key, values in levels.items())


BIRTH = Comparison(
    "birth",
    "birth_digits_l IS NULL OR birth_digits_r IS NULL",
    _date_levels(
        "birth",
        {
            "same": (0.62, 4e-5),
            "swapped": (0.015, 2e-5),
            "lunar": (0.01, 4e-5),
            "slip": (0.17, 1.0e-3),
            "anniversary": (0.03, 2e-4),
            "slips": (0.07, 1.2e-2),
            "year": (0.02, 1.2e-2),
            "years": (0.015, 5e-2),
            "other": (0.05, 0.92),
        },
    ),
)
BIRTH_YEAR = Comparison(
    "birth_year",
    "birth_year_l IS NULL OR birth_year_r IS NULL OR (birth_digits_l IS NOT NULL AND birth_digits_r IS NOT NULL)",
    (
        Level("same", "birth_year_l = birth_year_r", 0.74, 0.018),
        Level("one", "abs(birth_year_l - birth_year_r) = 1", 0.15, 0.036),
        Level("two", "abs(birth_year_l - birth_year_r) = 2", 0.07, 0.036),
        Level("other", "ELSE", 0.03, 0.91),
    ),
)
DEATH = Comparison(
    "death",
    "death_digits_l IS NULL OR death_digits_r IS NULL",
    _date_levels(
        "death",
        {
            "same": (0.62, 1.2e-3),
            "swapped": (0.02, 8e-4),
            "lunar": (0.02, 1.2e-3),
            "next_day": (0.18, 2.4e-3),
            "slip": (0.08, 1.5e-2),
            "week": (0.04, 1.2e-2),
            "slips": (0.012, 0.12),
            "month": (0.012, 4e-2),
            "other": (0.004, 0.81),
        },
    ),
)
ID = Comparison(
    "id",
    "id_number_l IS NULL OR id_number_r IS NULL OR (least(length(id_number_l), length(id_number_r)) = 9 "
    "AND greatest(length(id_number_l), length(id_number_r)) = 12)",
    (
        Level("same", "id_number_l = id_number_r", 0.80, 2e-7),
        Level("slip", "damerau_levenshtein(id_number_l, id_number_r) <= 1", 0.13, 8e-6),
        Level("slips", "damerau_levenshtein(id_number_l, id_number_r) <= 2", 0.03, 3e-4),
        Level("other", "ELSE", 0.04, 0.999),
    ),
)
_SHARED = "len(list_intersect(address_tokens_l, address_tokens_r))"
_OVERLAP = f"{_SHARED} / (len(address_tokens_l) + len(address_tokens_r) - {_SHARED})"
ADDRESS = Comparison(
    "address",
    f"address_folded_l IS NULL OR address_folded_r IS NULL OR {_OTHER_GIVEN}",  # one house does not make one person
    (
        Level("same", "address_glued_l = address_glued_r", 0.25, 3e-4, "address"),
        Level(
            "near",
            f"{_alike('address_glued_l', 'address_glued_r', 0.93)} OR {_OVERLAP} >= 0.7",
            0.30,
            6e-4,
            "address",
        ),
        Level("half", f"{_OVERLAP} >= 0.4", 0.25, 3e-3),
        Level("some", f"{_OVERLAP} >= 0.2 OR {_alike('address_glued_l', 'address_glued_r', 0.8)}", 0.12, 4e-2),
        Level("other", "ELSE", 0.08, 0.95),
    ),
)
PLACE = Comparison(
    "place",
    "place_code_l IS NULL OR place_code_r IS NULL",
    (
        Level("same", "place_code_l = place_code_r", 0.70, 2e-3, "place"),
        Level("merged", "list_has_any(communes_l, communes_r)", 0.10, 1e-3, "place"),
        Level(
            "slip",
            "communes_l IS NULL AND communes_r IS NULL AND damerau_levenshtein(place_code_l, place_code_r) <= 1",
            0.08,
            1.5e-2,
        ),
        Level("district", "district_l = district_r", 0.08, 1e-2),
        Level("province", "province_l = province_r", 0.02, 6e-2),
        Level("other", "ELSE", 0.05, 0.9),
    ),
)
SEX = Comparison(
    "sex",
    "coalesce(sex_l, name_sex_l) IS NULL OR coalesce(sex_r, name_sex_r) IS NULL",
    (
        Level("same", "coalesce(sex_l, name_sex_l) = coalesce(sex_r, name_sex_r)", 0.975, 0.5),
        Level("weak", "sex_l IS NULL OR sex_r IS NULL", 0.015, 0.1),
        Level("other", "ELSE", 0.01, 0.4),
    ),
)
COMPARISONS = (NAME, BIRTH, BIRTH_YEAR, DEATH, ID, ADDRESS, PLACE, SEX)
FREQUENCIES = ("name", "near", "far", "ends", "head", "tail", "address", "place")


def splink_comparison(comparison: Comparison, m: Mapping[str, float], u: Mapping[str, float]) -> dict[str, Any]:
    """The comparison in the words of Splink's settings, with these shares for its levels."""
    levels: list[dict[str, Any]] = [
        {"sql_condition": comparison.unknown, "label_for_charts": "unknown", "is_null_level": True}
    ]
    for level in comparison.levels:
        entry: dict[str, Any] = {
            "sql_condition": level.condition,
            "label_for_charts": level.key,
            "m_probability": m[level.key],
            "u_probability": u[level.key],
        }
        if level.frequency:
            entry |= {
                "tf_adjustment_column": level.frequency,
                "tf_adjustment_weight": 1.0,
                "tf_minimum_u_value": 0.0,
                "disable_tf_exact_match_detection": True,
            }
        levels.append(entry)
    return {"output_column_name": comparison.key, "comparison_levels": levels}


def reasons_of(levels: Mapping[str, int]) -> list[str]:
    """Label keys that say what agreed and what did not; what was not known is left out.

    levels : comparison → level as in the columns `level_<comparison>` of `LinkRun.pairs` (with or without the prefix).
    """
    reasons = []
    for comparison in COMPARISONS:
        value = levels.get(comparison.key, levels.get(f"level_{comparison.key}"))
        if value is not None and value >= 0:
            level = comparison.levels[len(comparison.levels) - 1 - int(value)]
            reasons.append(f"linkage.reason.{comparison.key}.{level.key}")
    return reasons
