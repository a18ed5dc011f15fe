"""Causes: words without a code, codes that no list knows, causes that say nothing. The edits of codes: `mortality.validation.edit_tests`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mortality.quality.record_checks import RecordTest
from mortality.quality.records import death_records
from mortality.validation.code_ranges import in_ranges

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

_WRITTEN = "coalesce(r.icd10_as_written, '')"
# A code column is there where most lines of the file fill it: an empty cell of a list without such a column is no omission.
_HAS_CODES = "r.file_sha256 IN (SELECT file_sha256 FROM death_record WHERE coalesce(cause_text, '') <> '' GROUP BY 1 "\
    "HAVING avg((coalesce(icd10_as_written, '') <> '')::INT) > 0.5)"  # fmt: skip


def prepare_written_codes(context: CheckContext, rule: Rule) -> None:
    """Make `written_code`: icd10_as_written, the code it is, and its status (see `mortality.icd.judge_code`)."""
    from mortality.icd import check_codes

    written = context.query(
        "SELECT DISTINCT icd10_as_written AS w FROM death_record WHERE coalesce(icd10_as_written, '') <> '' ORDER BY 1"
    )["w"]
    judged = check_codes(written)
    context.con.register("incoming", judged.astype({"written": "str", "code": "str", "status": "str"}))
    context.con.execute("CREATE OR REPLACE TABLE written_code AS SELECT written, code, status FROM incoming")
    context.con.unregister("incoming")


def prepare_useless(context: CheckContext, rule: Rule | None = None) -> None:
    """Make `useless_code`: code, item of the list of causes that say little."""
    from tkyt_analysis.catalog import read_codelist

    death_records(context)
    items = read_codelist("useless_causes")
    codes = context.query("SELECT DISTINCT code FROM death_record WHERE code <> '' ORDER BY 1")["code"]
    rows = [
        (code, item)
        for code in codes
        for item, ranges in zip(items["item"], items["icd10_ranges"], strict=True)
        if in_ranges(code, ranges)
    ]
    table = pd.DataFrame(rows, columns=["code", "item"]).drop_duplicates("code").astype("str")
    context.con.register("incoming", table)
    context.con.execute("CREATE OR REPLACE TABLE useless_code AS SELECT code, item FROM incoming")
    context.con.unregister("incoming")


TESTS = {
    "code_missing": RecordTest(
        field="icd10_as_written",
        judged=f"coalesce(r.cause_text, '') <> '' AND {_HAS_CODES}",
        breach=f"{_WRITTEN} = ''",
        verdict="missing",
        probability="1.0",
    ),
    "code_invalid": RecordTest(
        field="icd10_as_written",
        alone=True,
        judged=f"{_WRITTEN} <> ''",
        breach="w.status IN ('unknown', 'clinical_modification')",
        verdict="error",
        joins="LEFT JOIN written_code w ON w.written = r.icd10_as_written",
        fields={"status": "w.status"},
        prepare=prepare_written_codes,
    ),
    "code_untidy": RecordTest(
        field="icd10_as_written",
        alone=True,
        judged=f"{_WRITTEN} <> ''",
        breach="w.status IN ('valid', 'legacy') AND w.code <> r.icd10_as_written AND replace(w.code, '.', '') <> r.icd10_as_written",
        verdict="error",
        probability="0.3",
        joins="LEFT JOIN written_code w ON w.written = r.icd10_as_written",
        prepare=prepare_written_codes,
    ),
    "cause_says_little": RecordTest(
        field="cause_text",
        alone=True,
        judged="r.code <> ''",
        breach="u.item IS NOT NULL",
        verdict="missing",
        probability="CASE WHEN u.item IN ('SENILITY', 'ILL_DEFINED') THEN 0.8 ELSE 0.6 END",
        joins="LEFT JOIN useless_code u ON u.code = r.code",
        fields={"group": "u.item", "place_of_death": "r.place_of_death"},
        prepare=prepare_useless,
    ),
}  # fmt: skip
