"""Integrity of data elements, categories, data sets, indicators, and of validation rules received from DHIS2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.quality.integrity.registry import IntegrityCheck

if TYPE_CHECKING:
    from tkyt_analysis.quality.context import CheckContext

_ELEMENTS = (
    "(SELECT * FROM data_element QUALIFY row_number() OVER (PARTITION BY element_id ORDER BY dataset_id DESC) = 1)"
)
_DATA_SETS = "(SELECT * FROM data_set QUALIFY row_number() OVER (PARTITION BY dataset_id ORDER BY name) = 1)"
_CATEGORIES = "(SELECT * FROM category QUALIFY row_number() OVER (PARTITION BY category_id ORDER BY name) = 1)"
_COUNT = "SELECT count(DISTINCT {0}) FROM {1}"
_USED_SERIES = "integrity_series_period"
# Kind of period of our ids for a DHIS2 period type; others are not compared.
_KINDS = "MAP {'Monthly': 'month', 'Quarterly': 'quarter', 'SixMonthly': 'half', 'Yearly': 'year', 'Weekly': 'week'}"


def _elements(condition: str, detail: str = "''", *, needs: tuple[str, ...] = ()) -> IntegrityCheck:
    find = (
        f"SELECT element_id, coalesce(dataset_id, '') AS dataset_id, coalesce(nullif(name, ''), element_id) AS subject, {detail} AS detail "
        f"FROM {_ELEMENTS} e WHERE {condition} ORDER BY element_id"
    )
    return IntegrityCheck(("data_element", *needs), _COUNT.format("element_id", "data_element"), find)


def _data_sets(condition: str, detail: str = "''", *, needs: tuple[str, ...] = ()) -> IntegrityCheck:
    find = (
        f"SELECT dataset_id, coalesce(nullif(name, ''), dataset_id) AS subject, {detail} AS detail FROM {_DATA_SETS} d "
        f"WHERE {condition} ORDER BY dataset_id"
    )
    return IntegrityCheck(("data_set", *needs), _COUNT.format("dataset_id", "data_set"), find)


def _categories(condition: str, detail: str = "''", *, needs: tuple[str, ...] = ()) -> IntegrityCheck:
    find = (
        f"SELECT category_id, coalesce(nullif(name, ''), category_id) AS subject, {detail} AS detail FROM {_CATEGORIES} c "
        f"WHERE {condition} ORDER BY category_id"
    )
    return IntegrityCheck(("category", *needs), _COUNT.format("category_id", "category"), find)


def _same(table: str, key: str, text: str) -> str:
    """A condition: another row of the table has the same text, but for blanks and case."""
    return (
        f"plain_name({text}) <> '' AND plain_name({text}) IN (SELECT plain_name({text}) FROM {table} GROUP BY 1 "
        f"HAVING count(DISTINCT {key}) > 1)"
    )


_OF_DATA_SETS = """
    SELECT element_id, element_id AS subject, string_agg(DISTINCT kind, ', ' ORDER BY kind) AS detail, count(DISTINCT dataset_id) AS value
    FROM integrity_series_period JOIN series USING (series_no) JOIN period USING (period_no)
    GROUP BY element_id HAVING count(DISTINCT dataset_id) > 1 AND count(DISTINCT kind) > 1 ORDER BY 1
"""
_NOT_DESCRIBED = f"""
    SELECT s.dataset_id, s.{{key}}, s.{{key}} AS subject, s.dataset_id AS detail FROM (SELECT DISTINCT dataset_id, {{key}} FROM series SEMI JOIN {_USED_SERIES} USING (series_no)) s
    WHERE s.{{key}} <> '' AND s.{{key}} NOT IN (SELECT {{key}} FROM {{table}}) AND s.dataset_id IN (SELECT dataset_id FROM {{among}}) ORDER BY 1, 2
"""
_OTHER_DATA_SET = f"""
    SELECT s.element_id, s.dataset_id, coalesce(any_value(e.name), s.element_id) AS subject, string_agg(DISTINCT e.dataset_id, ', ') AS detail
    FROM (SELECT DISTINCT dataset_id, element_id FROM series SEMI JOIN {_USED_SERIES} USING (series_no)) s JOIN data_element e USING (element_id)
    WHERE e.dataset_id <> '' GROUP BY s.element_id, s.dataset_id HAVING NOT bool_or(e.dataset_id = s.dataset_id) ORDER BY 1, 2
"""
_ABANDONED = """
    SELECT element_id, dataset_id, element_id AS subject, last_period AS detail FROM (
        SELECT dataset_id, element_id, arg_max(period_id, period_end) AS last_period, max(period_end) AS last_day FROM
            integrity_series_period JOIN series USING (series_no) JOIN period USING (period_no)
        GROUP BY ALL) QUALIFY last_day < max(last_day) OVER (PARTITION BY dataset_id) - INTERVAL 12 MONTH ORDER BY 1, 2
"""
_PERIOD_KINDS = f"""
    SELECT s.dataset_id, any_value(coalesce(d.name, s.dataset_id)) AS subject, p.kind AS detail, count(DISTINCT p.period_no) AS value
    FROM integrity_series_period JOIN series s USING (series_no) JOIN period p USING (period_no)
    JOIN {_DATA_SETS} d ON d.dataset_id = s.dataset_id WHERE {_KINDS}[d.period_type] IS NOT NULL AND {_KINDS}[d.period_type] <> p.kind
    GROUP BY s.dataset_id, p.kind ORDER BY 1, 3
"""
_RULE_PARTS = r"""
    SELECT rule_id, name, regexp_extract(part, '([A-Za-z][A-Za-z0-9]{10})', 1) AS element_id FROM (
        SELECT rule_id, name, unnest(regexp_extract_all(coalesce(left_side, '') || ' ' || coalesce(right_side, ''), '#\{[A-Za-z][A-Za-z0-9]{10}')) AS part
        FROM dhis2_validation_rule)
"""
_RULES = "SELECT count(DISTINCT rule_id) FROM dhis2_validation_rule"


def _rules(condition: str, detail: str) -> IntegrityCheck:
    find = f"SELECT rule_id AS code, coalesce(nullif(name, ''), rule_id) AS subject, {detail} AS detail FROM dhis2_validation_rule WHERE {condition} ORDER BY rule_id"
    return IntegrityCheck(("dhis2_validation_rule",), _RULES, find)


def _indicators_without_values(context: CheckContext) -> pd.DataFrame:
    """Indicators of our catalog that name an element which no data set brings."""
    from tkyt_analysis.catalog import load_entries

    known = set(context.query("SELECT DISTINCT element_id FROM series")["element_id"])
    prefixes = {one.split("/")[0] for one in known}
    found = []
    for entry in load_entries("indicators").values():
        named = [part for part in (entry.numerator, entry.denominator) if "/" in part]
        absent = [part for part in named if part not in known and part.split("/")[0] in prefixes]
        found += [(entry.id, entry.title["vi"], part) for part in absent]
    return pd.DataFrame(found, columns=["code", "subject", "detail"], dtype="str")


def _future(context: CheckContext) -> pd.DataFrame:
    """Values of periods that begin after the last file was received."""
    (last,) = context.con.execute(
        "SELECT max(try_cast(left(CAST(received_at AS VARCHAR), 10) AS DATE)) FROM received_file"
    ).fetchall()[0]
    return context.query(
        "SELECT dataset_id, period_id, dataset_id AS subject, period_id AS detail, sum(cells) AS value FROM integrity_series_period JOIN series USING (series_no) "
        "JOIN period USING (period_no) WHERE period_start > ? GROUP BY ALL ORDER BY 1, 2",
        [last],
    )


_VALUES = ("cell", "series", "period")
_SERIES = "SELECT count(DISTINCT element_id) FROM series"

CHECKS: dict[str, IntegrityCheck] = {
    "element_without_data_set": _elements("coalesce(dataset_id, '') = ''"),
    "element_of_several_period_types": IntegrityCheck(_VALUES, _SERIES, _OF_DATA_SETS),
    "element_same_name": _elements(_same("data_element", "element_id", "name"), "name"),
    "element_same_short_name": _elements(
        _same("data_element", "element_id", "short_name")
        + " AND NOT ("
        + _same("data_element", "element_id", "name")
        + ")",
        "short_name",
    ),
    "element_same_code": _elements(_same("data_element", "element_id", "code"), "code"),
    "element_without_code": _elements("coalesce(trim(code), '') = '' AND NOT contains(element_id, '/')"),
    "element_without_name": _elements("coalesce(trim(name), '') = ''"),
    "element_name_blanks": _elements("has_odd_blanks(name) OR has_odd_blanks(short_name)", "'“' || name || '”'"),
    "element_name_decomposed": _elements("nfc_normalize(name) <> name"),
    "element_unused": _elements(
        f"element_id NOT IN (SELECT element_id FROM series SEMI JOIN {_USED_SERIES} USING (series_no)) "
        "AND dataset_id IN (SELECT dataset_id FROM series)",
        needs=_VALUES,
    ),
    "element_abandoned": IntegrityCheck(_VALUES, _SERIES, _ABANDONED),
    "element_not_described": IntegrityCheck(
        ("data_element", *_VALUES),
        _SERIES,
        _NOT_DESCRIBED.format(key="element_id", table="data_element", among="data_element"),
    ),
    "element_in_other_data_set": IntegrityCheck(("data_element", *_VALUES), _SERIES, _OTHER_DATA_SET),
    "category_same_name": _categories(_same("category", "category_id", "name"), "name"),
    "category_same_code": _categories(_same("category", "category_id", "code"), "code"),
    "category_without_name": _categories("coalesce(trim(name), '') = ''"),
    "category_name_blanks": _categories("has_odd_blanks(name)", "'“' || name || '”'"),
    "category_unused": _categories(
        "category_id NOT IN (SELECT category_id FROM series) AND coalesce(name, '') <> 'default'", needs=_VALUES
    ),
    "category_not_described": IntegrityCheck(
        ("category", "data_element", *_VALUES),
        "SELECT count(DISTINCT category_id) FROM series",
        _NOT_DESCRIBED.format(
            key="category_id", table="category", among="series WHERE category_id IN (SELECT category_id FROM category)"
        ),
    ),
    "data_set_without_units": _data_sets(
        "dataset_id NOT IN (SELECT dataset_id FROM data_set_assignment) AND regexp_full_match(dataset_id, '[A-Za-z][A-Za-z0-9]{10}')",
        needs=("data_set_assignment",),
    ),
    "data_set_without_elements": _data_sets(
        "dataset_id NOT IN (SELECT coalesce(dataset_id, '') FROM data_element)", needs=("data_element",)
    ),
    "data_set_without_values": _data_sets("dataset_id NOT IN (SELECT dataset_id FROM series)", needs=_VALUES),
    "data_set_same_name": _data_sets(_same("data_set", "dataset_id", "name"), "name"),
    "data_set_name_blanks": _data_sets("has_odd_blanks(name)", "'“' || name || '”'"),
    "data_set_without_period_type": _data_sets("coalesce(trim(period_type), '') = ''"),
    "data_set_without_deadline": _data_sets(
        "coalesce(timely_days, 0) <= 0 AND regexp_full_match(dataset_id, '[A-Za-z][A-Za-z0-9]{10}')"
    ),
    "data_set_other_periods": IntegrityCheck(
        ("data_set", *_VALUES), _COUNT.format("dataset_id", "data_set"), _PERIOD_KINDS
    ),
    "period_in_the_future": IntegrityCheck(("received_file", *_VALUES), "SELECT count(*) FROM period", _future),
    "period_long_ago": IntegrityCheck(
        _VALUES,
        "SELECT count(*) FROM period",
        "SELECT dataset_id, period_id, dataset_id AS subject, period_id AS detail, sum(cells) AS value FROM integrity_series_period JOIN series USING (series_no) "
        "JOIN period USING (period_no) WHERE period_end < DATE '1990-01-01' GROUP BY ALL ORDER BY 1, 2",
    ),
    "indicator_elements_absent": IntegrityCheck(_VALUES, _SERIES, _indicators_without_values),
    "rule_unknown_element": IntegrityCheck(
        ("dhis2_validation_rule", "data_element"),
        _RULES,
        f"SELECT rule_id AS code, element_id, any_value(coalesce(nullif(name, ''), rule_id)) AS subject, element_id AS detail FROM ({_RULE_PARTS}) "
        "WHERE element_id NOT IN (SELECT element_id FROM data_element) GROUP BY rule_id, element_id ORDER BY 1, 2",
    ),
    "rule_without_missing_strategy": _rules(
        "coalesce(left_missing, '') = '' OR coalesce(right_missing, '') = ''", "coalesce(operator, '')"
    ),
    "rule_without_instruction": _rules("coalesce(trim(instruction), '') = ''", "''"),
    "rule_same_expression": _rules(
        "(left_side, operator, right_side) IN (SELECT (left_side, operator, right_side) FROM dhis2_validation_rule GROUP BY 1 HAVING count(*) > 1)",
        "left_side || ' ' || operator || ' ' || right_side",
    ),
    "min_max_inverted": IntegrityCheck(
        ("dhis2_min_max",),
        "SELECT count(*) FROM dhis2_min_max",
        "SELECT unit_id, element_id, category_id, unit_id AS subject, minimum || ' > ' || maximum AS detail FROM dhis2_min_max WHERE minimum > maximum ORDER BY 1, 2, 3",
    ),
}
