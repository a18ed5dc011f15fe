"""The checks that a data set's own catalog entry gives, on its panel (wide again) or its line list."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tkyt_analysis.catalog.expressions import names_in
from tkyt_analysis.quality.findings import make_findings, no_findings

KEY = ["unit_id", "period_id"]


def check_expression(rows: pd.DataFrame, rule: Any) -> tuple[pd.DataFrame, int, int]:
    """(findings, judged, total): rows where the rule is false; rows where it cannot be told are not judged.

    rows : aggregate_value for a panel (its last received value per cell counts), else the line list's table
    """
    names = names_in(rule.parameters["rule"])
    if rule.parameters["table"]:
        table, keys = rows, ["unit_id", "record_id"]
    else:
        table, keys = wide(rows, rule.parameters["dataset"], names), KEY
    if table.empty or not set(names) <= set(table.columns):
        return no_findings(), 0, len(table)
    judged = _judged(table, keys, names, rule.parameters["rule"])
    broken = judged[judged["holds"] == 0].drop(columns="holds")
    fields = [name for name in names if name in broken]
    about = {"rule_id": rule.id, "severity": rule.severity, "rule_version": rule.version}
    found = broken.assign(dataset_id=rule.parameters["dataset"], verdict="error", element_id=_element(rule, names))
    subject = "record_id" if "record_id" in found else None
    return (
        make_findings(found, fields=[*fields, *([subject] if subject else [])], subject=subject, **about),
        len(judged),
        len(table),
    )


def wide(values: pd.DataFrame, dataset: str, names: list[str]) -> pd.DataFrame:
    """A panel's values as one row per unit and period with a column per element; the value received last counts."""
    own = values[values["dataset_id"] == dataset]
    own = own.assign(column=own["element_id"].str.removeprefix(f"{dataset}/"))
    own = own[own["column"].isin(names)].drop_duplicates([*KEY, "column"], keep="last")
    return own.pivot(index=KEY, columns="column", values="value").reset_index()


def _element(rule: Any, names: list[str]) -> str:
    return "" if rule.parameters["table"] else f"{rule.parameters['dataset']}/{names[0]}"


def _judged(table: pd.DataFrame, keys: list[str], names: list[str], rule: str) -> pd.DataFrame:
    """keys, names and `holds` (1, 0) of the rows where the rule can be told. The rule was vetted with the catalog."""
    import duckdb

    listed = ", ".join(f'"{name}"' for name in dict.fromkeys([*keys, *names]))
    with duckdb.connect() as connection:
        connection.register("given", table)
        return connection.execute(
            f"SELECT * FROM (SELECT {listed}, CAST(({rule}) AS INTEGER) AS holds FROM given) WHERE holds IS NOT NULL"
        ).df()
