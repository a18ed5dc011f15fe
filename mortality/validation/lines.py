"""Lines of text (one record, or a list) as the tables that the tests ask: read by the same code as the doors' files."""

from __future__ import annotations

import datetime
from functools import lru_cache

import numpy as np
import pandas as pd

from mortality.register_records import RegisterRows, records_of_lines

SOURCES = ("a6", "certificate", "civil_registration", "death_notice")
# Other names under which forms and lists know a field of the register.
ALIASES = {
    "icd10": "icd10_as_written", "birth_date": "birth", "birth_year": "birth", "date_of_birth": "birth", "cause": "cause_text",
    "residence": "address", "cccd": "id_number",
}  # fmt: skip
CERTIFICATE_LINES = ("line_a", "line_b", "line_c", "line_d", "part2")
OPTIONS = {
    "surgery": "yes_no", "autopsy": "yes_no", "autopsy_used": "yes_no", "multiple_pregnancy": "yes_no", "stillborn": "yes_no",
    "pregnancy_contributed": "yes_no", "manner": "manner", "injury_place": "injury_place", "pregnancy_status": "pregnancy_status",
}  # fmt: skip
NUMBERS = ("hours_lived", "birth_weight", "gestation_weeks", "mother_age")
OWN_WORDS = ("informant", "informant_id", "document_number", "patient_number", "signed_by")


def tables_of_lines(
    lines: pd.DataFrame, *, source: str, day: datetime.date, book_year: int = 0
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame] | None:
    """({table: rows}, notes) of lines whose columns are fields; None where no line can be read as a death.

    lines : texts by field, index = row number. day : of receipt. Tables: death, death_identity, death_code, received_file,
    and where their fields are there death_cause, certificate, death_document. Nothing is written anywhere.
    """
    from mortality.documents.causes import with_recorded_cause

    has_parts = any(name.partition("_icd10")[0] in CERTIFICATE_LINES for name in lines)
    whole = with_recorded_cause(lines) if has_parts else lines
    rows = records_of_lines(whole, source=source, book_year=book_year, latest_year=day.year)
    if rows.deaths.empty:
        return None
    deaths = _deaths(rows, lines)
    tables = {
        "death": deaths,
        "death_identity": _identities(rows, lines, deaths["death_id"]),
        "death_code": _codes(deaths),
        "received_file": pd.DataFrame({"file_sha256": [""], "received_at": [f"{day} 00:00:00"]}),
        **_documents(lines.loc[rows.deaths.index], deaths["death_id"], day, book_year),
    }
    return tables, rows.notes


def _deaths(rows: RegisterRows, lines: pd.DataFrame) -> pd.DataFrame:
    deaths = rows.deaths.assign(file_sha256="")
    deaths["death_id"] = "r" + pd.Series(deaths.index.astype(str), index=deaths.index, dtype="str")
    for name in ("unit_id", "residence_unit_id"):
        if name in lines:
            deaths[name] = lines.loc[deaths.index, name].replace("", pd.NA)
    if "unit_id" not in deaths:
        deaths["unit_id"] = pd.Series(pd.NA, index=deaths.index, dtype="str")
    if "underlying_icd10" in lines:
        deaths["underlying_cause_as_given"] = lines.loc[deaths.index, "underlying_icd10"].replace("", pd.NA)
    return deaths


def _identities(rows: RegisterRows, lines: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    more = {name: lines.loc[ids.index, name].replace("", pd.NA) for name in OWN_WORDS if name in lines}
    return rows.identities.assign(death_id=ids, file_sha256="", **more)


def _codes(deaths: pd.DataFrame) -> pd.DataFrame:
    """`death_code` as far as codes are written: the underlying cause as given, else the register's own code."""
    given, written = (
        deaths[name].map(_usable_code).fillna("") for name in ("underlying_cause_as_given", "icd10_as_written")
    )
    rule = np.select([given.ne(""), written.ne("")], ["as_given", "as_written"], "")
    code = given.where(given.ne(""), written)
    return pd.DataFrame({"death_id": deaths["death_id"], "code": code, "rule": rule, "decision": "auto"})


@lru_cache(maxsize=50_000)
def _usable_code(written: str) -> str:
    from mortality.icd import judge_code

    verdict = judge_code(written) if isinstance(written, str) else None
    return verdict.code if verdict and verdict.status in ("valid", "legacy") else ""


def _documents(lines: pd.DataFrame, ids: pd.Series, day: datetime.date, book_year: int) -> dict[str, pd.DataFrame]:
    """death_cause, certificate and death_document of the lines, as far as they have such fields."""
    from mortality.register_dates import read_dates

    made: dict[str, pd.DataFrame] = {}
    if any(name.partition("_icd10")[0].partition("_interval")[0] in CERTIFICATE_LINES for name in lines):
        from mortality.documents.causes import cause_rows

        causes = cause_rows(lines, ids)
        made["death_cause"] = causes.assign(death_id=causes["record_key"], file_sha256="")
    if set(lines) & {*OPTIONS, *NUMBERS}:
        made["certificate"] = _certificate(lines).assign(death_id=ids, record_key=ids, file_sha256="")
    date = next((name for name in ("registration_date", "document_date") if name in lines), "")
    if date:
        found = read_dates(lines[date], year_hint=book_year, latest_year=day.year)["day"]
        made["death_document"] = pd.DataFrame({"death_id": ids, "document_date": found, "file_sha256": ""})
    return made


def _certificate(lines: pd.DataFrame) -> pd.DataFrame:
    from mortality.documents.words import read_option

    answers = {
        name: [read_option(words, text) or None for text in lines[name]]
        for name, words in OPTIONS.items()
        if name in lines
    }
    numbers = {name: pd.to_numeric(lines[name], errors="coerce") for name in NUMBERS if name in lines}
    return pd.DataFrame({**answers, **numbers}, index=lines.index)
