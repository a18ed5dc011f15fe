"""The classification of DHIS2 values and registrations in SQL: each lands or gets one reason.

Works on the view `raw` of a `Scratch`; the look-ups (periods, units, elements, odd values) hold each distinct text once.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.dhis2_metadata import ALIAS_SOURCE, CODE_SOURCE, LEVEL_OF_CODE
from tkyt_analysis.ingest.dhis2_results import refused_rows, value_batch
from tkyt_analysis.ingest.door import Batch, IngestContext, Note
from tkyt_analysis.ingest.numbers import parse_numbers
from tkyt_analysis.ingest.scratch import Scratch
from tkyt_analysis.reference.periods import Period

DEFAULT_COMBO = "HllvX50cXC0"  # the built-in option combo "default" of every DHIS2
NUMERIC_TYPES = ("NUMBER", "INTEGER", "INTEGER_POSITIVE", "INTEGER_NEGATIVE", "INTEGER_ZERO_OR_POSITIVE",
                 "PERCENTAGE", "UNIT_INTERVAL", "INTEGER_POSITIVE_OR_ZERO")  # fmt: skip
_MACHINE_NUMBER = r"[+-]?\d{1,200}(\.\d+)?([eE][+-]?\d{1,2})?"  # never infinite


def classified_values(
    scratch: Scratch, context: IngestContext, attributes: dict[str, str], sheet: str
) -> Iterator[Batch]:
    """Look-ups, then one reason or none for each value, then repeated keys, then the rows in pieces."""
    scratch.put("attributes", pd.DataFrame([{name: attributes.get(name) or None for name in
                ("dataSet", "period", "orgUnit", "attributeOptionCombo")}], dtype="object").astype("str"))  # fmt: skip
    own_set = 'coalesce(nullif(r."dataSet", \'\'), a."dataSet")' if "dataSet" in scratch.schema.names else 'a."dataSet"'
    scratch.con.execute(_VALUES_WRITTEN.format(data_set=own_set))
    _put_periods(scratch, "written")
    _put_units(scratch, context, "written")
    _put_elements(scratch, context)
    _put_odd_values(scratch)
    scratch.con.execute(_VALUES_CLASSIFIED)
    scratch.con.execute(
        "CREATE OR REPLACE TEMP TABLE repeated (row_number BIGINT, nth BIGINT, same_as BIGINT, first_row BIGINT, "
        "last_row BIGINT, differs BOOLEAN)"
    )
    for part in scratch.find_shared_keys(_VALUES_KEYS):
        scratch.con.execute(_VALUES_REPEATED.format(part=part))
    scratch.con.execute(_COMMON_COMMENTS)
    yield _undescribed_elements(scratch)
    yield _common_comments(scratch, sheet)
    for piece in scratch.pieces(_VALUES_RESULT):
        yield value_batch(piece, sheet)


# Every value with the set's own attributes filled in; "default" combos are no category.
_VALUES_WRITTEN = f"""
CREATE OR REPLACE VIEW written AS
SELECT row_number, trim(coalesce(r."dataElement", '')) AS element_id,
       trim(coalesce(nullif(r.period, ''), a.period, '')) AS period,
       trim(coalesce(nullif(r."orgUnit", ''), a."orgUnit", '')) AS unit,
       coalesce(nullif(nullif(r."categoryOptionCombo", '{DEFAULT_COMBO}'), 'default'), '') AS category,
       coalesce(nullif(nullif(coalesce(nullif(r."attributeOptionCombo", ''), a."attributeOptionCombo"),
                '{DEFAULT_COMBO}'), 'default'), '') AS attribute,
       {{data_set}} AS data_set, coalesce(r.value, '') AS value, coalesce(r.comment, '') AS comment,
       lower(coalesce(r.deleted, '')) = 'true' AS deleted
FROM raw r CROSS JOIN attributes a
"""

# The unit at the time of the period p; NULL where its code list did not apply then.
_UNIT_ID = """CASE WHEN p.period_end >= DATE '2025-07-01' AND u.after <> '' THEN u.after
                 WHEN p.period_start < DATE '2025-07-01' AND u.before <> '' THEN u.before END"""

_VALUES_CLASSIFIED = f"""
CREATE OR REPLACE VIEW classified AS
SELECT w.row_number, w.element_id, w.unit, w.period, w.value AS written, w.comment,
       concat_ws('.', nullif(w.category, ''), nullif(w.attribute, '')) AS category_id,
       coalesce(w.data_set, e.dataset_id, '') AS dataset_id, coalesce(e.status, 'undescribed') = 'undescribed' AS undescribed,
       {_UNIT_ID} AS unit_id, coalesce(nullif(u.after, ''), u.before) AS otherwise, p.period_id, p.period_start, p.period_end, o.note,
       CASE WHEN e.kind = 'boolean' THEN CASE lower(trim(w.value)) WHEN 'true' THEN 1 WHEN '1' THEN 1
                                         WHEN 'false' THEN 0 WHEN '0' THEN 0 END
            WHEN e.kind = 'text' THEN NULL
            WHEN regexp_full_match(w.value, '{_MACHINE_NUMBER}') THEN TRY_CAST(w.value AS DOUBLE)
            ELSE o.number END AS number,
       CASE WHEN w.deleted THEN 'quarantine.dhis2_deleted'
            WHEN w.element_id = '' THEN 'quarantine.dhis2_no_element'
            WHEN p.period_id IS NULL THEN 'quarantine.dhis2_period_unknown'
            WHEN concat(u.before, u.after) = '' THEN 'quarantine.dhis2_unit_unknown'
            WHEN {_UNIT_ID} IS NULL THEN 'places.unit_not_valid_at_date'
            WHEN trim(w.value) = '' THEN 'quarantine.dhis2_empty_value'
            WHEN e.kind = 'boolean' AND lower(trim(w.value)) NOT IN ('true', 'false', '1', '0')
                THEN 'quarantine.dhis2_not_boolean'
            WHEN e.kind = 'number' AND NOT regexp_full_match(w.value, '{_MACHINE_NUMBER}') AND o.number IS NULL
                THEN coalesce(nullif(o.reason, ''), 'quarantine.not_a_number') END AS reason
FROM written w
LEFT JOIN elements e ON e.element_id = w.element_id
LEFT JOIN periods p ON p.period = w.period
LEFT JOIN units u ON u.unit = w.unit
LEFT JOIN odd_values o ON o.value = w.value
"""

# Rows whose key stands more than once in the file: `nth` of the same value, and whether the values differ.
_VALUES_KEYS = """
SELECT row_number, hash(element_id, category_id, unit_id, period_id) AS key FROM classified WHERE reason IS NULL
"""

_VALUES_REPEATED = """
INSERT INTO repeated
WITH rows AS (
    SELECT row_number, element_id, category_id, unit_id, period_id, coalesce(CAST(number AS VARCHAR), written) AS shown
    FROM classified SEMI JOIN (SELECT row_number FROM suspects WHERE {part}) USING (row_number) WHERE reason IS NULL),
counted AS (
    SELECT row_number,
           row_number() OVER (PARTITION BY element_id, category_id, unit_id, period_id, shown ORDER BY row_number) AS nth,
           min(row_number) OVER (PARTITION BY element_id, category_id, unit_id, period_id, shown) AS same_as,
           min(row_number) OVER (PARTITION BY element_id, category_id, unit_id, period_id) AS first_row,
           max(row_number) OVER (PARTITION BY element_id, category_id, unit_id, period_id) AS last_row,
           min(shown) OVER (PARTITION BY element_id, category_id, unit_id, period_id)
             <> max(shown) OVER (PARTITION BY element_id, category_id, unit_id, period_id) AS differs
    FROM rows)
SELECT * FROM counted WHERE nth > 1 OR differs
"""

# A comment on more rows than this says something of the file, not of a value: it is noted once.
_COMMON_COMMENTS = """
CREATE OR REPLACE TEMP TABLE common_comments AS
SELECT comment, count(*) AS rows, min(row_number) AS row_number FROM written WHERE comment <> ''
GROUP BY comment HAVING count(*) > 20
"""

_VALUES_RESULT = """
SELECT c.* EXCLUDE (comment), CASE WHEN c.comment IN (SELECT comment FROM common_comments) THEN '' ELSE c.comment END
       AS comment, coalesce(c.reason, CASE WHEN d.nth > 1 THEN 'quarantine.dhis2_repeated_value' END) AS final_reason,
       d.same_as, CASE WHEN d.differs AND d.nth = 1
                       THEN CASE WHEN c.row_number = d.first_row THEN d.last_row ELSE d.first_row END END AS other_row
FROM classified c LEFT JOIN repeated d USING (row_number)
"""


def _put_periods(scratch: Scratch, view: str) -> None:
    """periods: period (as written), period_id, period_start, period_end of every distinct code that is one."""
    rows = []
    for written in scratch.frame(f"SELECT DISTINCT period FROM {view}")["period"]:
        try:
            period = _written_period(written)
        except InputError:
            continue
        rows.append((written, period.period_id, period.start, period.end))
    columns = ["period", "period_id", "period_start", "period_end"]
    scratch.put("periods", pa.Table.from_pylist([dict(zip(columns, row)) for row in rows], _PERIOD_SCHEMA))


def _written_period(written: str) -> Period:
    """The period of a DHIS2 code, or of an ADX window (`2025-01-01/P9M`), which also says what DHIS2 cannot."""
    from tkyt_analysis.reference.period_words import from_adx, from_dhis2

    return from_adx(written) if "/" in written else from_dhis2(written)


_PERIOD_SCHEMA = pa.schema(
    [("period", pa.string()), ("period_id", pa.string()), ("period_start", pa.date32()), ("period_end", pa.date32())]
)


def _put_units(scratch: Scratch, context: IngestContext, view: str) -> None:
    """units: unit (as written) and which unit_id it is until 2025-06-30 (`before`) and from then on (`after`).

    A unit is looked up by its DHIS2 identifier, its DHIS2 code, our own unit_id, or a Vietnamese place code.
    A Vietnamese unit is one only while its code list applies (`_UNIT_ID`).
    """
    units = scratch.frame(f"SELECT DISTINCT unit FROM {view}").astype("str")
    known = units["unit"].map(_known_units(context)).fillna("").astype("str")
    system = known.str.split(":").str[0]
    units["before"] = known.where(system != "VN2025", "")
    units["after"] = known.where(system != "VN2024", "")
    _find_place_codes(units, known == "")
    scratch.put("units", units)


def _known_units(context: IngestContext) -> dict[str, str]:
    aliases, own = context.unit_aliases(), context.units()["unit_id"]
    known = dict(zip(own, own, strict=True))
    for source in (CODE_SOURCE, ALIAS_SOURCE):
        chosen = aliases[aliases["source"] == source]
        known |= dict(zip(chosen["alias"], chosen["unit_id"], strict=True))
    return known


def _find_place_codes(units: pd.DataFrame, unknown: pd.Series) -> None:
    """Fill before and after of units written as bare Vietnamese place codes."""
    from tkyt_analysis.reference.places import find_places

    for length, level in LEVEL_OF_CODE.items():
        chosen = unknown & units["unit"].str.fullmatch(rf"\d{{{length}}}")
        if chosen.any():
            for column, system in (("before", "VN2024"), ("after", "VN2025")):
                units.loc[chosen, column] = find_places(units.loc[chosen, "unit"], level=level, system=system)[
                    "unit_id"
                ]


def _put_elements(scratch: Scratch, context: IngestContext) -> None:
    """elements: element_id, dataset_id, status, kind (number | boolean | text | unknown) of the known elements."""
    known = context.data_elements()
    known = known.sort_values("status", key=lambda status: status == "undescribed", kind="stable")
    known = known.drop_duplicates("element_id")
    types = known["value_type"].fillna("").astype("str")
    kind = pd.Series("text", index=known.index)
    kind[types.isin(NUMERIC_TYPES)] = "number"
    kind[types.isin(["BOOLEAN", "TRUE_ONLY"])] = "boolean"
    kind[types == ""] = "unknown"
    rows = known[["element_id", "dataset_id", "status"]].assign(kind=kind)
    scratch.put("elements", rows.astype("str"))


def _put_odd_values(scratch: Scratch) -> None:
    """odd_values: value, number, note, reason of every distinct value of a numeric element that is no plain number."""
    odd = scratch.frame(
        "SELECT DISTINCT w.value FROM written w LEFT JOIN elements e USING (element_id) "
        f"WHERE coalesce(e.kind, 'unknown') IN ('number', 'unknown') AND length(w.value) BETWEEN 1 AND 40 "
        f"AND NOT regexp_full_match(w.value, '{_MACHINE_NUMBER}')"
    )
    parsed = parse_numbers(odd["value"], decimal_hint="point")
    odd["number"] = parsed.values
    odd["note"] = parsed.notes["note"].reindex(odd.index).fillna("")
    odd["reason"] = parsed.failures["reason"].reindex(odd.index).fillna("")
    scratch.put("odd_values", odd.astype({"value": "str", "note": "str", "reason": "str"}))


def _undescribed_elements(scratch: Scratch) -> Batch:
    """Elements with values but without metadata: they land under their identifier and say that nobody described them."""
    found = scratch.frame(
        "SELECT element_id, any_value(dataset_id) AS dataset_id, min(row_number) AS row_number FROM classified "
        "WHERE undescribed AND reason IS NULL GROUP BY element_id ORDER BY element_id"
    )
    rows = found.assign(name=found["element_id"], short_name=found["element_id"], value_type="", status="undescribed")
    return Batch("data_element", rows, counts=False)


def _common_comments(scratch: Scratch, sheet: str) -> Batch:
    notes = [
        Note("note.dhis2_common_comment", sheet, int(row), "comment", text, "", {"comment": text, "rows": int(rows)})
        for text, rows, row in scratch.con.execute("FROM common_comments ORDER BY row_number").fetchall()
    ]
    return Batch("aggregate_value", pd.DataFrame(), notes=notes)


# ------------------------------------------------------------------------------------------------------- registrations

_REGISTRATIONS = """
CREATE OR REPLACE VIEW registered AS
SELECT row_number, trim(coalesce("dataSet", '')) AS data_set, trim(coalesce(period, '')) AS period,
       trim(coalesce("organisationUnit", '')) AS unit, coalesce(date, '') AS completed_at,
       lower(coalesce(completed, 'true')) <> 'false' AS completed
FROM raw
"""

_REGISTRATIONS_RESULT = f"""
SELECT r.*, {_UNIT_ID} AS unit_id, coalesce(nullif(u.after, ''), u.before) AS otherwise, p.period_id,
       CASE WHEN r.data_set = '' THEN 'quarantine.dhis2_data_set_missing'
            WHEN p.period_id IS NULL THEN 'quarantine.dhis2_period_unknown'
            WHEN concat(u.before, u.after) = '' THEN 'quarantine.dhis2_unit_unknown'
            WHEN {_UNIT_ID} IS NULL THEN 'places.unit_not_valid_at_date'
            WHEN row_number() OVER (PARTITION BY data_set, {_UNIT_ID}, p.period_id
                                    ORDER BY completed DESC, completed_at, row_number) > 1
            THEN 'quarantine.dhis2_repeated_registration' END AS final_reason,
       first_value(row_number) OVER (PARTITION BY data_set, {_UNIT_ID}, p.period_id
                                     ORDER BY completed DESC, completed_at, row_number) AS same_as
FROM registered r LEFT JOIN periods p USING (period)
LEFT JOIN units u ON u.unit = r.unit
"""


def classified_registrations(scratch: Scratch, context: IngestContext) -> Iterator[Batch]:
    scratch.con.execute(_REGISTRATIONS)
    _put_periods(scratch, "registered")
    _put_units(scratch, context, "registered")
    for piece in scratch.pieces(_REGISTRATIONS_RESULT):
        rows = piece.to_pandas()
        sheet = "completeDataSetRegistrations"
        good = rows[rows["final_reason"].isna()]
        landed = good[["unit_id", "period_id", "completed_at", "completed", "row_number"]].assign(
            dataset_id=good["data_set"], sheet=sheet
        )
        refused = rows[rows["final_reason"].notna()].assign(element_id="", written=lambda frame: frame["completed_at"])
        yield Batch("reporting_status", landed, refused_rows(refused, sheet), received=len(rows))
