"""The edits on the death records of a warehouse: made once per run, block by block, as relations that tests join.

edited        death_id, has_line (a certificate with a code or words on a line), has_interval, has_code, has_age, has_manner,
              has_words
edit_finding  one row per record and rule, the first of its findings: death_id, rule_id, limit_name (the check), code (three characters, none that concerns HIV), field (of the record),
              value, lower, upper, suggested_code
edit_habit    file_sha256, codes (written ones that have a fourth character or should have), short (without it)
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakSet

import pandas as pd

from mortality.quality.records import death_records
from mortality.validation.code_cells import LINES, UNDERLYING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

COUNTRY = "VN"
EDITION = 2019
RECORDS_AT_ONCE = 100_000
HABIT_FROM = 0.2  # share of short codes from which they are the habit of a list
_CAUSE_COLUMNS = ("line", "position", "icd10_code", "icd10_as_written", "cause_text", "interval_as_written")
_KINDS = {
    "death_id": "VARCHAR", "rule_id": "VARCHAR", "limit_name": "VARCHAR", "code": "VARCHAR", "field": "VARCHAR", "value": "DOUBLE",
    "lower": "DOUBLE", "upper": "DOUBLE", "suggested_code": "VARCHAR",
}  # fmt: skip
# Rules that ask the same of the warehouse in their own way.
ASKED_ELSEWHERE = (
    "death_code_missing", "death_cause_says_little", "death_age_impossible", "death_stillbirth", "",
)  # fmt: skip
_HABIT = """
    CREATE OR REPLACE TABLE edit_habit AS
    SELECT r.file_sha256, count(*) FILTER (k.death_id IS NOT NULL OR length(r.code) > 3) AS codes, count(k.death_id) AS short
    FROM death_record r LEFT JOIN edit_finding k ON k.death_id = r.death_id AND k.rule_id = 'death_edit_incomplete'
    WHERE r.code_rule IN ('as_given', 'as_written') GROUP BY 1
"""
_DONE: WeakSet[CheckContext] = WeakSet()
KEPT = 200
_FOUND: dict[tuple[object, ...], pd.DataFrame] = {}  # of the single records asked last


def prepare_edits(context: CheckContext, rule: Rule | None = None) -> None:
    """Make `edited` and `edit_finding` where this run has not yet."""
    if context in _DONE:
        return
    death_records(context)
    _certificates(context)
    columns = ", ".join(f"{name} {kind}" for name, kind in _KINDS.items())
    context.con.execute(f"CREATE OR REPLACE TABLE edit_finding ({columns})")
    for block in _blocks(context):
        _keep(context, _findings(block))
    context.con.execute(_HABIT)
    _DONE.add(context)


def _findings(block: pd.DataFrame) -> pd.DataFrame:
    """`findings_of_records`; of a single record, as it is typed, what was found for the same values is found again."""
    if len(block) != 1:
        return findings_of_records(block)
    (values,) = block.itertuples(index=False, name=None)
    asked = (*block.columns, *(None if pd.isna(value) else value for value in values))
    if asked not in _FOUND:
        if len(_FOUND) >= KEPT:
            _FOUND.clear()
        _FOUND[asked] = findings_of_records(block)
    return _FOUND[asked]


def findings_of_records(frame: pd.DataFrame) -> pd.DataFrame:
    """`edit_finding` of a block of records as `edited_record` has them."""
    from mortality.validation.certificate_edits import edit_certificates

    found = edit_certificates(frame.rename(columns={"death_id": "id"}), country=COUNTRY, edition=EDITION)
    found = found[~found["rule_id"].isin(ASKED_ELSEWHERE)].reset_index(drop=True)
    renamed = found.rename(columns={"id": "death_id", "check": "limit_name", "suggestion": "suggested_code"})
    own = [_own_field(check, field) for check, field in zip(found["check"], found["field"], strict=True)]
    short = found["code"].where(found["check"].isin(["CODE_INCOMPLETE", "CODE_PLACE"]), found["code"].str[:3])
    kept = renamed.assign(field=pd.Series(own, dtype="str"), code=short)[list(_KINDS)]
    return kept.drop_duplicates(["death_id", "rule_id"])


def _own_field(check: str, field: str) -> str:
    """The field of the record that a finding is about; "" for the cause that counts (the test knows where that stands)."""
    if field == UNDERLYING:
        return ""
    if check == "INTERVAL":
        return f"{field}_interval"
    return f"{field}_icd10" if field in LINES and check != "PART1_BLANK" else field


def _certificates(context: CheckContext) -> None:
    """`edited_record` (a frame for `edit_certificates`, one row per record) and `edited`."""
    chosen = ", ".join(_line_columns(context)) if context.has("death_cause") else _no_lines()
    source = f"(SELECT death_id, {chosen} FROM death_cause GROUP BY death_id)" if context.has("death_cause") else chosen
    certificate = "(SELECT death_id, min(manner) AS manner FROM certificate GROUP BY 1)"
    manner = certificate if context.has("certificate") else "(SELECT NULL::VARCHAR AS death_id, NULL AS manner)"
    context.con.execute(
        f"""CREATE OR REPLACE TABLE edited_record AS
        SELECT row_number() OVER () AS number, r.death_id, r.sex, r.age_value, r.age_unit, r.age_years, r.age_from_dates, nullif(r.code, '') AS underlying_cause, r.cause_text,
               coalesce(r.manner, m.manner) AS manner, w.* EXCLUDE (death_id)
        FROM death_record r LEFT JOIN {source} w USING (death_id) LEFT JOIN {manner} m USING (death_id)"""
    )
    said = " OR ".join(f"coalesce({name}, text_{name.removeprefix('line_')}) IS NOT NULL" for name in LINES)
    coded = " OR ".join(f"{name} IS NOT NULL" for name in (UNDERLYING, *LINES))
    intervals = " OR ".join(f"interval_{line} IS NOT NULL" for line in "abcd")
    context.con.execute(
        f"""CREATE OR REPLACE TABLE edited AS SELECT death_id, {said} AS has_line, {intervals} AS has_interval, {coded} AS has_code,
        age_value IS NOT NULL AS has_age, manner IS NOT NULL AS has_manner, coalesce(cause_text, text_a, text_b, text_c, text_d, text_part2) IS NOT NULL AS has_words
        FROM edited_record"""
    )


def _line_columns(context: CheckContext) -> Iterator[str]:
    """SQL of line_a … part2, text_a … text_part2, interval_a … interval_d from the rows of `death_cause`."""
    there = {row[0] for row in context.con.execute("DESCRIBE death_cause").fetchall()}
    column = {name: name if name in there else "NULL" for name in _CAUSE_COLUMNS}
    line = "line" if "line" in there else "'a'"
    order = f"ORDER BY {column['position']}" if "position" in there else ""
    code = f"coalesce(nullif({column['icd10_as_written']}, ''), {column['icd10_code']})"
    for name in LINES:
        short = name.removeprefix("line_")
        here = f"FILTER ({line} = '{short}')"
        yield f"string_agg(CAST({code} AS VARCHAR), ' ' {order}) {here} AS {name}"
        yield f"string_agg(CAST({column['cause_text']} AS VARCHAR), ' ' {order}) {here} AS text_{short}"
        if short != "part2":
            yield f"min(CAST({column['interval_as_written']} AS VARCHAR)) {here} AS interval_{short}"


def _no_lines() -> str:
    names = [*LINES, *(f"text_{name.removeprefix('line_')}" for name in LINES), *(f"interval_{one}" for one in "abcd")]
    return "(SELECT NULL::VARCHAR AS death_id, " + ", ".join(f"NULL::VARCHAR AS {name}" for name in names) + ")"


def _blocks(context: CheckContext) -> Iterator[pd.DataFrame]:
    (total,) = context.con.execute("SELECT count(*) FROM edited_record").fetchone() or (0,)
    for start in range(0, int(total), RECORDS_AT_ONCE):
        yield context.query("SELECT * FROM edited_record LIMIT ? OFFSET ?", [RECORDS_AT_ONCE, start])
    context.con.execute("DROP TABLE edited_record")


def _keep(context: CheckContext, rows: pd.DataFrame) -> None:
    if rows.empty:
        return
    context.con.register("incoming", rows)
    context.con.execute("INSERT INTO edit_finding SELECT * FROM incoming")
    context.con.unregister("incoming")
