"""Pairs that cannot reach the minimum are left out before Splink sees them: an upper bound of the match weight in whole numbers.

Most candidate pairs are far from being one person, and their texts need not be compared to know it. Every record has a
short row of numbers (`linkage_short`): hashes of names and places, dates as figures of four bits each, days, years, and
the weight that the rarity of its values can bring. Per comparison the best level counts that these numbers do not
exclude. Splink scores what is left, so the answer is the same as without this step (a test compares the two).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from mortality.linkage.model import Model

SHORT = "linkage_short"
SAFETY = 0.01  # bits: the bound is added up in single precision
NEVER = "-99"
_HASHED = {
    "name": "name_folded",
    "sorted": "name_sorted",
    "glued": "name_glued",
    "regional": "name_regional",
    "given": "given",
    "family": "family",
    "head": "head",
    "tail": "tail",
    "id": "id_number",
    "address": "address_glued",
    "place": "place_code",
    "commune": "communes[1]",
    "commune2": "communes[2]",
    "district": "district",
    "province": "province",
}
_RARITIES = ("name", "near", "far", "ends", "head", "tail", "address", "place")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_EIGHT, _SIXTEEN = "286331153::UINTEGER", "1229782938247303441::UBIGINT"  # the lowest bit of each figure


def offer_short(con: duckdb.DuckDBPyConnection) -> None:
    """Temporary table `linkage_short`: one row of numbers per record of `linkage_record`."""
    columns = ["rec"]
    columns += [
        f"CASE WHEN {text} IS NOT NULL THEN (hash({text}) & 4294967295)::UINTEGER END AS {name}"
        for name, text in _HASHED.items()
    ]
    columns += [*_dates("birth"), *_dates("death")]
    columns += [f"{_figures('id_number', 'UBIGINT', 16)} AS id_figures", "length(id_number)::UTINYINT AS id_length"]
    columns += ["len(communes)::UTINYINT AS communes", "coalesce(sex, name_sex) = 'm' AS male"]
    columns += ["coalesce(length(head) <= 2 OR length(tail) <= 2, false) AS short"]
    columns += ["length(given)::UTINYINT AS given_length", f"({_letters('given')})::UINTEGER AS given_letters"]
    columns += [f"(-log2(nullif(tf_{name}, 0)))::FLOAT AS rare_{name}" for name in _RARITIES]
    con.execute(f"CREATE OR REPLACE TEMP TABLE {SHORT} AS SELECT {', '.join(columns)} FROM linkage_record")


def keep_promising(
    con: duckdb.DuckDBPyConnection,
    model: Model,
    minimum: float,
    *,
    pairs: str = "linkage_pair",
    target: str = "linkage_near",
) -> None:
    """Temporary table `target`: those of `pairs` (rec_l, rec_r, …) that may reach the probability `minimum`."""
    least = math.log2(minimum / (1 - minimum)) if minimum < 1 else math.inf
    least -= math.log2(model.prior / (1 - model.prior)) + SAFETY
    weights = _Weights(model)
    parts = (
        _name(weights),
        _date(weights, "birth"),
        _birth_year(weights),
        _date(weights, "death"),
        _id(weights),
        _address(weights),
        _place(weights),
        _sex(weights),
    )
    bound = " + ".join(f"coalesce({part}, 0)" for part in parts)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {target} AS SELECT p.* FROM {pairs} p "
        f"JOIN {SHORT} l ON l.rec = p.rec_l JOIN {SHORT} r ON r.rec = p.rec_r WHERE {bound} >= {least}"
    )


def _figures(text: str, kind: str, longest: int) -> str:
    """A text of figures as a number of four bits per figure; NULL where it is not such a text."""
    return f"CASE WHEN regexp_full_match({text}, '[0-9]{{1,{longest}}}') THEN TRY_CAST('0x' || {text} AS {kind}) END"


def _letters(text: str) -> str:
    """A bit per letter that occurs."""
    return " + ".join(f"contains({text}, '{letter}')::INT * {1 << place}" for place, letter in enumerate(_ALPHABET))


def _dates(name: str) -> list[str]:
    days = [
        f"datediff('day', DATE '1800-01-01', {name}_{day})::INT AS {name}_{day}"
        for day in ("day", "lunar", "lunar_before")
    ]
    return [
        f"{_figures(f'{name}_digits', 'UINTEGER', 8)} AS {name}_figures",
        *days,
        f"{name}_year::SMALLINT AS {name}_year",
    ]


class _Weights:
    """Bits that a level brings; of a level with a frequency, what it brings before the rarity is added."""

    def __init__(self, model: Model) -> None:
        self.bits = {
            c.key: {
                level.key: math.log2(model.m[c.key][level.key] / (1 if level.frequency else model.u[c.key][level.key]))
                for level in c.levels
            }
            for c in model.comparisons
        }

    def best(self, comparison: str, *levels: str) -> float:
        """The most that one of these levels brings; those that the comparison does not have are passed over."""
        known = self.bits[comparison]
        return round(max((known[level] for level in levels if level in known), default=-99.0), 4)


def _same(*columns: str) -> str:
    return " OR ".join(f"l.{column} = r.{column}" for column in columns)


def _rare(name: str) -> str:
    return f"least(l.rare_{name}, r.rare_{name})"


# No letter-by-letter similarity of 0.7: too few letters in common, each counted as often as it may occur in both.
_COMMON = (
    "(bit_count(l.given_letters & r.given_letters) + least(l.given_length - bit_count(l.given_letters), "
    "r.given_length - bit_count(r.given_letters)))"
)
_OTHER_GIVEN = (
    f"coalesce({_COMMON} * (l.given_length + r.given_length) * 10 < 11 * l.given_length::INT * r.given_length "
    f"AND {_COMMON} < least(l.given_length, r.given_length) "
    "AND l.given <> r.head AND l.given <> coalesce(r.tail, 0) AND r.given <> l.head AND r.given <> coalesce(l.tail, 0), false)"
)
_ENDS = (
    "(l.head = r.head OR l.short OR r.short) AND l.tail = r.tail OR l.head = r.tail AND l.tail = r.head "
    "OR l.family = r.family AND l.given = r.given"
)


def _name(w: _Weights) -> str:
    def when(condition: str, value: str) -> str:
        return f"CASE WHEN {condition} THEN {value} ELSE {NEVER} END"

    def bits(rarity: str, *levels: str) -> str:
        return f"{w.best('name', *levels)} + {_rare(rarity)}"

    known = "l.name IS NULL OR r.name IS NULL"
    certain = [
        when(_same("sorted", "glued"), bits("name", "order")),
        when(_ENDS, bits("ends", "middle", "other_middle")),
        when(_same("regional"), bits("near", "dialect")),
    ]
    open_levels = [
        bits("near", "slip"),
        bits("far", "slips"),
        when(_same("tail"), bits("tail", "last")),
        when("l.head IN (r.head, r.tail) OR l.tail = r.head", bits("head", "one_word", "first")),
        str(w.best("name", "household", "part", "other")),
    ]
    return (
        f"CASE WHEN {known} THEN 0 WHEN l.name = r.name THEN {bits('name', 'same_marks', 'same', 'other_marks')} "
        f"WHEN {_OTHER_GIVEN} THEN greatest({', '.join(certain)}, {w.best('name', 'household')}) "
        f"ELSE greatest({', '.join([*certain, *open_levels])}) END"
    )


def _different(a: str, b: str, ones: str) -> str:
    """The figures in which two numbers differ, a bit for each."""
    x = f"xor({a}, {b})"
    return f"(({x} | ({x} >> 1) | ({x} >> 2) | ({x} >> 3)) & {ones})"


def _slips(a: str, b: str, ones: str) -> tuple[str, str]:
    """Conditions that one edit, or two, may lead from one number to the other (a figure lost and one added shift the rest)."""
    straight = _different(a, b, ones)
    shifted = [
        f"bit_count({straight} & {_different(one, two, ones)}) <= 2"
        for one, two in ((f"({a} >> 4)", b), (a, f"({b} >> 4)"))
    ]
    return f"bit_count({straight}) <= 2", f"(bit_count({straight}) <= 4 OR {' OR '.join(shifted)})"


def _date(w: _Weights, name: str) -> str:
    one, two = _slips(f"l.{name}_figures", f"r.{name}_figures", _EIGHT)
    apart, years = f"abs(l.{name}_day - r.{name}_day)", f"abs(l.{name}_year - r.{name}_year)"
    lunar = " OR ".join(
        f"{a}.{name}_{how} = {b}.{name}_day" for a, b in (("l", "r"), ("r", "l")) for how in ("lunar", "lunar_before")
    )
    ladder = {
        f"l.{name}_figures = r.{name}_figures": ("same",),
        f"{years} = 0 AND l.{name}_figures & 65535 = ((r.{name}_figures & 255) << 8) | ((r.{name}_figures >> 8) & 255)": (
            "swapped",
        ),
        lunar: ("lunar",),
        one: ("slip", "next_day"),
        f"{apart} <= 1": ("next_day",),
        f"{apart} <= 7": ("week", "slips"),
        f"{apart} BETWEEN 364 AND 367 OR {apart} BETWEEN 729 AND 732": ("anniversary", "slips"),
        two: ("slips", "month"),
        f"{apart} <= 31": ("month",),
        f"{years} = 0": ("year",),
        f"{years} <= 2": ("years",),
    }
    return _ladder(w, name, f"l.{name}_figures IS NULL OR r.{name}_figures IS NULL", ladder)


def _ladder(
    w: _Weights, name: str, unknown: str, ladder: Mapping[str, tuple[str, ...]], other: tuple[str, ...] = ("other",)
) -> str:
    """CASE over conditions; each counts at least as much as what comes below it, as a level above may hold it."""
    least, cases = w.best(name, *other), []
    for condition, levels in reversed(list(ladder.items())):
        least = max(least, w.best(name, *levels))
        cases.append(f"WHEN {condition} THEN {least}")
    return f"CASE WHEN {unknown} THEN 0 {' '.join(reversed(cases))} ELSE {w.best(name, *other)} END"


def _birth_year(w: _Weights) -> str:
    years = "abs(l.birth_year - r.birth_year)"
    unknown = f"{years} IS NULL OR l.birth_figures IS NOT NULL AND r.birth_figures IS NOT NULL"
    ladder = {f"{years} = {number}": (level,) for number, level in enumerate(("same", "one", "two"))}
    return _ladder(w, "birth_year", unknown, ladder)


def _id(w: _Weights) -> str:
    one, two = _slips("l.id_figures", "r.id_figures", _SIXTEEN)
    unknown = "l.id IS NULL OR r.id IS NULL OR least(l.id_length, r.id_length) = 9 AND greatest(l.id_length, r.id_length) = 12"
    equal_length = "l.id_length = r.id_length"
    ladder = {
        "l.id = r.id": ("same",),
        f"l.id_figures IS NULL OR r.id_figures IS NULL OR NOT {equal_length} OR {one}": ("slip", "slips", "other"),
        two: ("slips",),
    }
    return _ladder(w, "id", unknown, ladder)


def _address(w: _Weights) -> str:
    same, near = (f"{w.best('address', level)} + {_rare('address')}" for level in ("same", "near"))
    less = w.best("address", "half", "some", "other")
    return (
        f"CASE WHEN l.address IS NULL OR r.address IS NULL OR {_OTHER_GIVEN} THEN 0 "
        f"WHEN l.address = r.address THEN greatest(0, {same}) ELSE greatest(0, {near}, {less}) END"
    )


def _place(w: _Weights) -> str:
    merged = (
        "l.commune IN (r.commune, r.commune2) OR l.commune2 IN (r.commune, r.commune2) "
        "OR l.communes > 0 AND r.communes > 0 AND greatest(l.communes, r.communes) > 2 AND coalesce(l.province = r.province, true)"
    )
    best_merged = f"{w.best('place', 'merged')} + {_rare('place')}"
    return (
        f"CASE WHEN l.place IS NULL OR r.place IS NULL THEN 0 WHEN l.place = r.place THEN {w.best('place', 'same')} + {_rare('place')} "
        f"WHEN {merged} THEN greatest({best_merged}, {w.best('place', 'district', 'province', 'other')}) "
        f"WHEN l.communes IS NULL AND r.communes IS NULL THEN {w.best('place', 'slip', 'district', 'province', 'other')} "
        f"WHEN l.district = r.district THEN {w.best('place', 'district', 'province', 'other')} "
        f"WHEN l.province = r.province THEN {w.best('place', 'province', 'other')} ELSE {w.best('place', 'other')} END"
    )


def _sex(w: _Weights) -> str:
    return (
        f"CASE WHEN l.male IS NULL OR r.male IS NULL THEN 0 WHEN l.male = r.male THEN {w.best('sex', 'same')} "
        f"ELSE {w.best('sex', 'weak', 'other')} END"
    )
