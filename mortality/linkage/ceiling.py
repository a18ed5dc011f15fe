"""How many true pairs no blocking rule brought together: estimated from how the found ones were found.

Rules lean on different things: ID number, name, birth, death, address. A pair that rules of several kinds brought would
have been found without one of them; pairs that a single kind brought tell that others slipped through (Chao's lower
bound of the unseen: f1² / 2 f2). Kinds help each other, so the estimate is rather too good than too bad.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mortality.linkage.blocking import RULES

if TYPE_CHECKING:
    import duckdb

SURE = 0.9
_KINDS = ("id", "birth", "death", "address")


def _kind(rule: str) -> str:
    return next((kind for kind in _KINDS if rule.startswith(kind)), "name")


def _masks() -> list[int]:
    kinds: dict[str, int] = {}
    for number, rule in enumerate(RULES):
        kinds[_kind(rule)] = kinds.get(_kind(rule), 0) | 1 << number
    return list(kinds.values())


class Captures:
    """Counts, part by part, of the pairs that were surely found: by one kind of rule, by two, by any."""

    def __init__(self) -> None:
        self.once = self.twice = self.found = 0

    def add(self, con: duckdb.DuckDBPyConnection) -> None:
        """Take the pairs of the current part (`linkage_pair`) that were scored above SURE."""
        kinds = " + ".join(f"(rules & {mask} <> 0)::INT" for mask in _masks())
        once, twice, found = con.execute(
            f"""SELECT count(*) FILTER (kinds = 1), count(*) FILTER (kinds = 2), count(*) FROM (
                SELECT {kinds} AS kinds FROM linkage_near JOIN linkage_scored USING (rec_l, rec_r)
                WHERE match_probability >= {SURE})"""
        ).fetchone() or (0, 0, 0)
        self.once, self.twice, self.found = self.once + once, self.twice + twice, self.found + found

    def ceiling(self) -> float | None:
        """Share of the true pairs that are candidates; None where nothing was found."""
        if not self.found:
            return None
        unseen = self.once * (self.once - 1) / (2 * (self.twice + 1))
        return self.found / (self.found + unseen)
