"""Deaths of a CSV or of the published release, counted by code and a few columns: small tables from files of any size.

DuckDB reads and groups; memory stays with the number of groups, not of deaths.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mortality.tabulation.deaths_given import require_columns
from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    import duckdb

CODE_COLUMNS = ("underlying_cause", "ucod", "underlying_cause_as_given", "icd10_code", "icd10", "code", "code_1")
AGE_COLUMNS = ("age_value", "age_unit", "age_years")
CODE, DEATHS, MISSING = "underlying_cause", "deaths", "unknown"


def count_deaths_in_file(
    path: Path, by: list[str], *, code: str = "", age_breaks: tuple[int, ...] = ()
) -> pd.DataFrame:
    """`by`, underlying_cause (as written), deaths: the rows of a CSV counted.

    path : UTF-8 (comma, semicolon or tab), one row per death, with a column of codes (`code`, else the first of CODE_COLUMNS)
    by : columns of the file; sex (words become male, female), age_group and age_years (from age_value and age_unit, or
        age_years) are worked out; an empty cell is "unknown"
    age_breaks : ages that begin a span; age_years then tells only the first year of the span, and groups stay few

    Raises InputError for a file that is no such CSV, or a column that it lacks.
    """
    import duckdb

    with duckdb.connect(config={"threads": 2, "autoinstall_known_extensions": False}) as con:
        con.execute("SET enable_progress_bar = false")
        try:
            names = _open(con, Path(path))
            return _counted(con, names, by, _code_column(names, code), age_breaks)
        except duckdb.Error as error:
            raise InputError("error.tabulation_file", file=path, reason=str(error).splitlines()[0]) from error


def count_released_deaths(home: Path, by: list[str]) -> tuple[pd.DataFrame, str]:
    """The same of the current release (deaths that count, causes withheld by law empty), and its id.

    The release knows age groups only: age_years is the first year of the group.
    """
    from tkyt_analysis.warehouse.release import Release

    release = Release(home)
    if not release.has("death"):
        raise InputError("error.no_deaths", release=release.release_id)
    known = list(release.query("SELECT * FROM death LIMIT 0").columns)
    require_columns([*known, "age_years"], by)
    origin = {name: _quoted(name) for name in by} | {"age_years": "regexp_extract(age_group, '^[0-9]+')"}
    columns = ", ".join(
        f"coalesce(nullif(CAST({origin[name]} AS VARCHAR), ''), '{MISSING}') AS {_quoted(name)}" for name in by
    )
    lead = f"{columns}, " if columns else ""
    rows = release.query(
        f"SELECT {lead}{CODE}, count(*) AS {DEATHS} FROM death WHERE excluded = '' GROUP BY ALL ORDER BY ALL"
    )
    return rows, release.release_id


def _open(con: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """Make the view `source`; our lower-case name → the name in the file."""
    if not path.is_file():
        raise InputError("error.tabulation_file", file=path, reason="–")
    text = path.as_posix().replace("'", "''")
    con.execute(
        f"CREATE VIEW source AS SELECT * FROM read_csv('{text}', header = true, all_varchar = true, delim = '{separator_of(path)}', "
        "quote = '\"', escape = '\"', null_padding = true, normalize_names = false)"
    )
    columns = con.execute("SELECT * FROM source LIMIT 0").df().columns
    return {str(name).strip().lstrip("\ufeff").lower(): str(name) for name in columns}


def separator_of(path: Path) -> str:
    """The mark that the first line has most of: comma, semicolon or tab."""
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        first = stream.readline()
    return max(",;\t", key=first.count)


def _code_column(names: dict[str, str], wanted: str) -> str:
    found = wanted.lower() if wanted else next((name for name in CODE_COLUMNS if name in names), "")
    if found not in names:
        raise InputError("error.tabulation_columns", missing=wanted or CODE, found=", ".join(names))
    return names[found]


def _counted(
    con: duckdb.DuckDBPyConnection, names: dict[str, str], by: list[str], code: str, age_breaks: tuple[int, ...]
) -> pd.DataFrame:
    ages = [name for name in AGE_COLUMNS if name in names]
    worked_out = {"age_group", "age_years"} & set(by)
    needs = [name for name in by if name not in worked_out] + (["age_years"] if worked_out and not ages else [])
    require_columns(list(names), needs)
    columns, joins = [], []
    if worked_out:
        _translate_ages(con, names, ages, age_breaks)
        joins.append("LEFT JOIN age_words ON " + _same("age_words", names, ages))
    for name in by:
        origin = f"age_words.{name}_" if name in worked_out else f"source.{_quoted(names[name])}"
        columns.append(f"coalesce(nullif(trim({origin}), ''), '{MISSING}') AS {_quoted(name)}")
    sql = f"SELECT {', '.join([*columns, f'trim(source.{_quoted(code)}) AS {CODE}'])}, count(*) AS {DEATHS}"
    rows = con.execute(f"{sql} FROM source {' '.join(joins)} GROUP BY ALL ORDER BY ALL").df()
    return _with_sexes(rows, by) if "sex" in by else rows


def _with_sexes(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The counts with the words for a sex read, and added up again."""
    from mortality.validation.person_values import sexes

    read = pd.Series(sexes(rows), index=rows.index, dtype="str").replace("", MISSING)
    keys = [*by, CODE]
    return rows.assign(sex=read).groupby(keys, as_index=False, dropna=False, observed=True)[DEATHS].sum()


def _translate_ages(
    con: duckdb.DuckDBPyConnection, names: dict[str, str], ages: list[str], breaks: tuple[int, ...]
) -> None:
    """Table age_words: each age as written with its completed years (or the first of its span) and its age group."""
    import numpy as np

    from mortality.release_tables import AGE_BANDS
    from mortality.validation.person_values import ages as read_ages
    from tkyt_analysis.reference.ages import OLDEST_AGE, age_group

    rows = _distinct(con, names, ages)
    years = read_ages(rows)["years"]
    first = np.array(sorted({0, *breaks})) if breaks else np.arange(OLDEST_AGE + 1)
    known = years.between(0, OLDEST_AGE)
    place = np.searchsorted(first, years.where(known, 0), side="right") - 1
    text = pd.Series(first[place].astype(str), index=years.index).where(known, "")
    table = rows.assign(age_years_=text.astype("str"), age_group_=age_group(years, AGE_BANDS).to_numpy())
    _store(con, "age_words", table)


def _distinct(con: duckdb.DuckDBPyConnection, names: dict[str, str], columns: list[str]) -> pd.DataFrame:
    listed = ", ".join(f"{_quoted(names[name])} AS {_quoted(name)}" for name in columns)
    return con.execute(f"SELECT DISTINCT {listed} FROM source ORDER BY ALL").df().astype("str", errors="ignore")


def _store(con: duckdb.DuckDBPyConnection, table: str, rows: pd.DataFrame) -> None:
    con.register("rows_given", rows)
    con.execute(f"CREATE TABLE {table} AS SELECT * FROM rows_given")
    con.unregister("rows_given")


def _same(table: str, names: dict[str, str], columns: list[str]) -> str:
    return " AND ".join(
        f"source.{_quoted(names[name])} IS NOT DISTINCT FROM {table}.{_quoted(name)}" for name in columns
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
