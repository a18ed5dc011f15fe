"""Can one condition be due to another? WHO's list of refusals, or the decision table of NCHS where its file is configured."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections import defaultdict
from pathlib import Path
from typing import Protocol

from mortality.underlying_cause.bit_sets import RowsHolding, first_bit
from mortality.underlying_cause.facts import Rows
from tkyt_analysis.errors import InputError

EVERY_CODE = "A00-Z99"
COLUMNS = {"address", "sub_lo", "sub_hi", "ambivalent"}
# Codes that the table does not know, and the older ones under which it keeps the same condition.
OLDER = {"A97": "A90", "B485": "B59", "K64": "I84", "I84": "K649", "U07": "J128", "K352": "K350", "K353": "K351"}


class CausalTable(Protocol):
    """Answers whether a sequence "effect due to cause" is accepted; codes carry the dot."""

    name: str

    def accepts(self, effect: str, cause: str) -> bool:
        """True where the effect can be due to the cause."""


class WhoCausalTable:
    """Every sequence is accepted that WHO Volume 2 §4.2.3 does not refuse (code list `ucod_rejected_sequences`)."""

    name = "WHO-4.2.3"

    def __init__(self, rows: Rows) -> None:
        self._effects = RowsHolding(row["effect"] for row in rows)
        self._refused = RowsHolding(EVERY_CODE if row["rejected"] == "*" else row["rejected"] for row in rows)
        self._accepted = RowsHolding(row["accepted"] for row in rows)

    def accepts(self, effect: str, cause: str) -> bool:
        """True unless a refusal fits; a category may follow from itself."""
        return effect[:3] == cause[:3] or not self._effects[effect] & self._refused[cause] & ~self._accepted[cause]


class AmendedTable:
    """A table with sequences that it judges otherwise (code list `ucod_sequences_nchs`): the first row that fits decides."""

    def __init__(self, table: CausalTable, rows: Rows) -> None:
        self.name = f"{table.name} amended"
        self._table = table
        self._answers = [row["accept"] == "yes" for row in rows]
        self._effects = RowsHolding(row["effect"] for row in rows)
        self._causes = RowsHolding(row["cause"] for row in rows)

    def accepts(self, effect: str, cause: str) -> bool:
        """The answer of the first row that fits, else that of the table."""
        bits = self._effects[effect] & self._causes[cause]
        return self._answers[first_bit(bits)] if bits else self._table.accepts(effect, cause)


class DecisionTable:
    """The decision table of NCHS: for each address (the effect) the ranges of causes that it accepts.

    ambivalent : whether pairs that the table marks as ambivalent are accepted
    fallback : asked for a code that the table does not know
    """

    def __init__(self, path: Path, *, fallback: CausalTable, ambivalent: bool = True) -> None:
        self.name = path.name
        self._fallback = fallback
        self._causes = _read_decision_table(path, ambivalent)

    def accepts(self, effect: str, cause: str) -> bool:
        """True where the cause lies in a range of the effect's address."""
        ranges = self._address(effect)
        if ranges is None or not cause:
            return self._fallback.accepts(effect, cause)
        return any(_in(ranges, key) for key in _keys(cause))

    def _address(self, effect: str) -> tuple[list[str], list[str]] | None:
        return next((self._causes[key] for key in _keys(effect) if key in self._causes), None)


def _keys(code: str) -> list[str]:
    key = code.replace(".", "")
    tries = [key, key[:4], key + "9" if len(key) == 3 else key, key[:3]]
    older = [OLDER[part] for part in (key, key[:4], key[:3]) if part in OLDER]
    return list(dict.fromkeys(tries + older))


def _in(ranges: tuple[list[str], list[str]], key: str) -> bool:
    lows, highs = ranges
    at = bisect_right(lows, key) - 1
    return at >= 0 and key <= highs[at]


def _read_decision_table(path: Path, ambivalent: bool) -> dict[str, tuple[list[str], list[str]]]:
    causes: dict[str, list[tuple[str, str]]] = defaultdict(list)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if not set(reader.fieldnames or ()) >= COLUMNS:
            raise InputError("error.ucod_decision_table", file=path.name, columns=", ".join(sorted(COLUMNS)))
        for row in reader:
            if ambivalent or row["ambivalent"] in ("", "0"):
                causes[row["address"]].append((row["sub_lo"], row["sub_hi"]))
    return {address: _merged(ranges) for address, ranges in causes.items()}


def _merged(ranges: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    lows: list[str] = []
    highs: list[str] = []
    for low, high in sorted(ranges):
        if highs and low <= highs[-1]:
            highs[-1] = max(highs[-1], high)
        else:
            lows.append(low)
            highs.append(high)
    return lows, highs
