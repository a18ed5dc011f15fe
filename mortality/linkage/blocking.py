"""Which pairs are worth a look: many cheap keys, each with a bound on the pairs that it may bring.

A record gets one or more keys per rule; two records with a key in common are a candidate pair. Of each rule the largest
blocks are left out as long as the rule would bring more pairs than its budget; how much was left out is reported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def _turned(date: str) -> str:
    """Year, then the smaller and the larger of day and month: a swapped date has the same key."""
    month, day = f"substring({date}_digits, 5, 2)", f"substring({date}_digits, 7, 2)"
    return f"substring({date}_digits, 1, 4) || least({month}, {day}) || greatest({month}, {day})"


def _short(letters: int) -> str:
    """The first letters of first and last word, in whichever order they stand."""
    first, last = f"substring(head, 1, {letters})", f"substring(coalesce(tail, head), 1, {letters})"
    return f"least({first}, {last}) || '|' || greatest({first}, {last})"


_WORD = ", unnest(words) AS a(word)"
_PLACE = ", unnest(places) AS b(place)"
# Two grids of eight days, half of one apart: days up to four apart share a cell of one of them.
_DAYS = ", unnest([datediff('day', DATE '1800-01-01', death_day) // 8 * 2, (datediff('day', DATE '1800-01-01', death_day) + 4) // 8 * 2 + 1]) AS c(cell)"
_LUNAR = f", unnest([{_turned('death')}, strftime(death_lunar, '%Y%m%d'), strftime(death_lunar_before, '%Y%m%d')]) AS c(cell)"
_HALVES = ", unnest(['<' || left(id_number, (length(id_number) * 3 // 4)::INT), right(id_number, (length(id_number) // 2)::INT) || '>']) AS c(half)"
_STREET = (
    ", unnest(list_distinct([array_to_string(pair, ' ') FOR pair IN "
    "[address_rare[1:2], address_rare[2:3], [address_rare[1], address_rare[3]]]])) AS c(street)"
)

_NO_DAYS = ", unnest([left(birth_digits, 6), right(birth_digits, 4)]) AS c(part)"

# "Thôn 9" says something only within its commune; a street address without a known place must be long enough
_NEAR = "CASE WHEN len(communes) > 0 THEN '|' || communes[1] WHEN length(address_glued) > 5 THEN '' END"


def _letters(text: str) -> str:
    """The letters in the order of the alphabet: exchanged letters, figures and words do not matter."""
    return f"array_to_string(list_sort(string_split({text}, '')), '')"


# rule → key of a record, and what the record is unfolded by
RULES: dict[str, tuple[str, str]] = {
    "id": ("id_number", ""),
    "id_half": ("half || birth_year", _HALVES),
    "id_half_name": ("half || word", _HALVES + _WORD),
    "name": ("name_sorted", ""),
    "name_letters": (_letters("name_glued"), ""),
    "name_dialect": ("name_regional", ""),
    "name_birth_year": ("name_sorted || birth_year", ""),
    "name_place": ("name_sorted || place", _PLACE),
    "name_death": ("name_sorted || cell", _DAYS),
    "dialect_death": ("name_regional || cell", _DAYS),
    "ends_death": (f"{_short(20)} || cell", _DAYS),
    "ends_birth_year": (f"{_short(20)} || birth_year", ""),
    "ends_place": (f"{_short(20)} || place", _PLACE),
    "short_birth_year": (f"{_short(3)} || birth_year", ""),
    "short_place": (f"{_short(3)} || {_letters('place')}", _PLACE),
    "short_death": (f"{_short(3)} || cell", _DAYS),
    "birth": (_turned("birth"), ""),
    "birth_initials": (f"{_short(1)} || {_turned('birth')}", ""),
    "birth_word": (f"word || {_turned('birth')}", _WORD),
    "birth_month_word": ("word || substring(birth_digits, 1, 6)", _WORD),
    "birth_day_word": ("word || substring(birth_digits, 5, 4)", _WORD),
    "birth_year_word": ("word || birth_year", _WORD),
    "birth_month_place": ("place || substring(birth_digits, 1, 6)", _PLACE),
    "birth_day_place": ("place || substring(birth_digits, 5, 4)", _PLACE),
    "birth_year_place": ("birth_year || place", _PLACE),
    "word_place": (f"word || {_letters('place')}", _WORD + _PLACE),
    "death_word": ("word || cell", _WORD + _LUNAR),
    "death_place": ("place || cell", _PLACE + _LUNAR),
    "death_birth_year": ("cell || birth_year", _LUNAR),
    "address": (f"address_glued || {_NEAR}", ""),
    "address_words": (f"street || {_NEAR}", _STREET),
    "address_start": (f"left(address_glued, 8) || {_NEAR}", ""),
    "any_birth_part": ("part", _NO_DAYS),
    "any_death": (_turned("death"), ""),
    "any_place": (_letters("place"), _PLACE),
}
LOOSE = "any_"  # rules that say so little that only small lists can afford them
LOOSE_PAIRS = 60_000
# In lists of 86,000 drawn records without ID numbers these alone brought 2 ("mixed") and 28 ("hard") of 67,000 true pairs,
# for 13 of 46 candidate pairs per record.
SMALL_LIST = 30_000
SMALL_ONLY = frozenset(
    {
        "name",
        "name_death",
        "address",
        "address_words",
        "short_birth_year",
        "birth",
        "birth_month_word",
        "birth_day_word",
        "birth_day_place",
        "any_birth_part",
        "any_death",
        "any_place",
    }
)


@dataclass(frozen=True)
class Rule:
    """What one rule brought: pairs (before the rules are joined), and what its budget left out."""

    name: str
    pairs: int
    blocks_left_out: int
    records_left_out: int
    largest_block: int


def budget(records: int, rule: str = "") -> int:
    """Pairs that one rule may bring: many per record in a small list, few in a large one."""
    pairs = int(records * (3 + 1000 / math.sqrt(records + 1)))
    return min(pairs, LOOSE_PAIRS) if rule.startswith(LOOSE) else pairs


def make_keys(con: duckdb.DuckDBPyConnection, records: int) -> list[Rule]:
    """Temporary table `linkage_key` (rule, key, rec) with the blocks that stay within the budget."""
    con.execute("CREATE OR REPLACE TEMP TABLE linkage_key (rule UTINYINT, key UBIGINT, rec INT)")
    return [
        _make_rule(con, number, name, budget(records, name))
        for number, name in enumerate(RULES)
        if records <= SMALL_LIST or name not in SMALL_ONLY
    ]


def _make_rule(con: duckdb.DuckDBPyConnection, number: int, name: str, pairs: int) -> Rule:
    key, unfolded = RULES[name]
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE linkage_rule AS SELECT hash({key}) AS key, rec FROM linkage_record {unfolded} "
        f"WHERE ({key}) IS NOT NULL"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE linkage_block AS SELECT key, count(*) AS size FROM linkage_rule GROUP BY key HAVING size > 1"
    )
    largest, kept = _largest_size(con, pairs)
    con.execute(
        f"INSERT INTO linkage_key SELECT {number}, key, rec FROM linkage_rule JOIN linkage_block USING (key) WHERE size <= {largest}"
    )
    left = con.execute(
        f"SELECT count(*), coalesce(sum(size), 0) FROM linkage_block WHERE size > {largest}"
    ).fetchone() or (0, 0)
    con.execute("DROP TABLE linkage_rule; DROP TABLE linkage_block")
    return Rule(name, kept, int(left[0]), int(left[1]), largest)


def _largest_size(con: duckdb.DuckDBPyConnection, pairs: int) -> tuple[int, int]:
    """The size up to which blocks together bring no more than `pairs`, and what they bring."""
    found = con.execute(
        f"""SELECT max(size), max(so_far) FROM (
            SELECT size, sum(count(*) * size * (size - 1) / 2) OVER (ORDER BY size) AS so_far FROM linkage_block GROUP BY size
        ) WHERE so_far <= {pairs}"""
    ).fetchone()
    return (int(found[0]), int(found[1])) if found and found[0] is not None else (0, 0)


def make_pairs(con: duckdb.DuckDBPyConnection, part: int = 0, parts: int = 1) -> int:
    """Temporary table `linkage_pair`: rec_l < rec_r, rules (a bit per rule), for one part of the records on the left."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE linkage_pair AS
        SELECT l.rec AS rec_l, r.rec AS rec_r, bit_or(1::UBIGINT << l.rule) AS rules
        FROM (SELECT * FROM linkage_key WHERE rec % {parts} = {part}) l
        JOIN linkage_key r ON l.rule = r.rule AND l.key = r.key AND l.rec < r.rec
        GROUP BY ALL"""
    )
    (pairs,) = con.execute("SELECT count(*) FROM linkage_pair").fetchone() or (0,)
    return int(pairs)
