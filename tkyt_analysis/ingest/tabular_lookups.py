"""Look-ups over the distinct texts of a table: numbers, periods, units, dates. Each text is read once."""

from __future__ import annotations

import json
import re
from datetime import date

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import IngestContext
from tkyt_analysis.ingest.numbers import DecimalHint, infer_decimal_hint, parse_numbers
from tkyt_analysis.ingest.scratch import Scratch
from tkyt_analysis.reference.vietnamese_text import fold

WHOLE = r"[+-]?\d{1,15}"
DECIMAL = r"[+-]?\d{1,200}(\.\d+)?([eE][+-]?\d{1,2})?"  # never infinite
VIETNAMESE_SYSTEMS = ("VN2024", "VN2025")
_MONTH_WORDS = {
    word: number
    for words in (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    )
    for number, word in enumerate(words.split(), start=1)
}


def quoted(text: str) -> str:
    """A SQL string."""
    return "'" + text.replace("'", "''") + "'"


# ------------------------------------------------------------------------------------------------------------- numbers


def column_hint(scratch: Scratch, column: str, declared: str | None) -> DecimalHint:
    """How a column writes decimals: as declared ("count", "point", "comma"), else as it gives away itself."""
    if declared in ("count", "point", "comma"):
        return declared  # type: ignore[return-value]
    marked = scratch.frame(
        f"SELECT DISTINCT trim({column}) AS value FROM raw WHERE {column} LIKE '%.%' OR {column} LIKE '%,%' LIMIT 5000"
    )
    return infer_decimal_hint(marked["value"])


def put_numbers(scratch: Scratch, name: str, columns: dict[str, DecimalHint], *, dash_is_zero: bool = False) -> None:
    """Table `name`: position, value (as written), number, note, reason of every distinct text that is no plain number.

    columns : {raw column: hint}
    """
    parts = []
    for column, hint in columns.items():
        odd = scratch.frame(
            f"SELECT DISTINCT {column} AS value FROM raw WHERE trim(coalesce({column}, '')) <> '' "
            f"AND NOT regexp_full_match({column}, '{plain_pattern(hint)}')"
        )
        parsed = parse_numbers(odd["value"], decimal_hint=hint, dash_is_zero=dash_is_zero)
        odd["number"], odd["position"] = parsed.values, column
        odd["note"] = parsed.notes["note"].reindex(odd.index).fillna("")
        odd["reason"] = parsed.failures["reason"].reindex(odd.index).fillna("")
        parts.append(odd)
    columns_out = {"position": "str", "value": "str", "number": "float64", "note": "str", "reason": "str"}
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns_out))
    scratch.put(name, rows[list(columns_out)].astype(columns_out))


def plain_pattern(hint: DecimalHint) -> str:
    """Texts that can be cast without thinking under a hint."""
    return DECIMAL if hint == "point" else WHOLE


# --------------------------------------------------------------------------------------------------- periods and dates


def read_period(text: str, year: str, month: str) -> tuple[str, date, date] | None:
    """(period_id, start, end) of a period text, or of a year and a month; None where there is none."""
    from tkyt_analysis.reference.period_words import parse_period
    from tkyt_analysis.reference.periods import make_period

    try:
        if text:
            found = parse_period(re.sub(r"^(\d{4}-\d{2})-01(?: 00:00:00)?$", r"\1", text))
        elif month:
            found = make_period("month", int(float(year)), _month_number(month))
        else:
            found = make_period("year", int(float(year)))
    except (InputError, ValueError):
        return None
    return found.period_id, found.start, found.end


def _month_number(text: str) -> int:
    folded = fold(text)
    if folded in _MONTH_WORDS:
        return _MONTH_WORDS[folded]
    return int(float(re.sub(r"^(thang|month|t)\s*", "", folded)))


def read_date(text: str) -> date | None:
    """A day written as 2025-06-30, 30/06/2025, 30-6-2025 or 30.6.2025 (day first, as Vietnamese write)."""
    plain = text.strip().removesuffix(" 00:00:00")
    iso = re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", plain)
    local = re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", plain)
    try:
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        return date(int(local[3]), int(local[2]), int(local[1])) if local else None
    except ValueError:
        return None


# --------------------------------------------------------------------------------------------------------------- units


def resolve_units(
    pairs: pd.DataFrame, context: IngestContext, *, system: str | None, level: int | None
) -> pd.DataFrame:
    """The unit of every distinct written unit.

    pairs : value, parent (text of the unit above, or ""), day (datetime or missing)
    system : code system ("VN2025", …); of any other system than the Vietnamese ones the names are their own
        identifiers ("KEN:Baringo"). None: our own ids, aliases, and Vietnamese codes at the day
    Returns pairs with unit_id ("" where there is none), reason (label key, "" where found), said (JSON of what the
    sentence of the reason names), name (tidy).
    """
    from tkyt_analysis.ingest.text_repair import repair_texts

    pairs = pairs.reset_index(drop=True)
    pairs["name"] = repair_texts(pairs["value"])["repaired"].astype("str")
    pairs["unit_id"], pairs["reason"], pairs["said"] = "", "", ""
    if system and system not in (*VIETNAMESE_SYSTEMS, "KCB", "DHIS2"):
        own = pairs["name"].where(pairs["parent"] == "", pairs["parent"] + "/" + pairs["name"])
        pairs["unit_id"] = (system + ":" + own).where(pairs["name"] != "", "")
    else:
        _known_first(pairs, context, system)
        _then_places(pairs, system, level)
    missing = (pairs["unit_id"] == "") & (pairs["reason"] == "")
    pairs.loc[missing, "reason"] = "quarantine.unit_unknown"
    pairs.loc[pairs["name"] == "", "reason"] = "places.unit_missing"
    return pairs


def _known_first(pairs: pd.DataFrame, context: IngestContext, system: str | None) -> None:
    """Our own unit ids, then identifiers of other systems."""
    own, aliases = context.units()["unit_id"].astype("str"), context.unit_aliases()
    known = dict(zip(own, own, strict=True))
    twice = aliases.drop_duplicates(["alias", "unit_id"])["alias"].value_counts()
    clear = aliases[aliases["alias"].map(twice) == 1]
    for alias, unit_id in zip(clear["alias"], clear["unit_id"], strict=True):
        known.setdefault(str(alias), str(unit_id))
    found = pairs["name"].map(known)
    if system:
        found = found.fillna((system + ":" + pairs["name"]).map(known))
    pairs["unit_id"] = found.fillna("").astype("str")


def _level_of_type_word(name: str) -> int:
    """1 for "Tỉnh …", 2 for "Huyện …", 3 for "Xã …"; 0 for a name without its type, which could be of any level."""
    word = re.match(r"(tinh|thanh pho|tp)|(huyen|quan|thi xa)|(xa|phuong|thi tran|dac khu)", fold(name))
    return word.lastindex or 0 if word else 0


def _then_places(pairs: pd.DataFrame, system: str | None, level: int | None) -> None:
    from tkyt_analysis.reference.places import find_places

    vietnamese = system if system in VIETNAMESE_SYSTEMS else None
    digits = pairs["name"].str.extract(r"^(?:VN20\d\d:)?(\d+)$")[0].str.len()
    named = pairs["name"].map(_level_of_type_word)
    wanted = digits.map({1: 1, 2: 1, 3: 2, 4: 3, 5: 3}).fillna(named) if level is None else level
    for one in (1, 2, 3):
        chosen = (pairs["unit_id"] == "") & (pairs["name"] != "") & (wanted == one)
        if chosen.any():
            rows = pairs[chosen]
            found = find_places(rows["name"], level=one, at=rows["day"], system=vietnamese)
            pairs.loc[chosen, "unit_id"] = found["unit_id"]
            pairs.loc[chosen, "reason"] = found["reason"]
            pairs.loc[chosen, "said"] = [json.dumps(said, ensure_ascii=False, default=str) for said in found["fields"]]
