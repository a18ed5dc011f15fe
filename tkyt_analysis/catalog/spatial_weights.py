"""`data_catalog/spatial_weights/`: who borders whom, and which communes are islands. An entry (YAML) and its table (CSV).

Pairs stand once (unit_id < neighbour_id) and hold both ways. A user's own catalog folder may bring further tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import pandas as pd

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.catalog.convert import Converter, read_yaml
from tkyt_analysis.catalog.entries import Text
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label
from tkyt_analysis.settings import catalog_directories

FOLDER = "spatial_weights"
COLUMNS = {
    "pairs": ["unit_id", "neighbour_id", "relation"],
    "islands": ["unit_id", "name", "sea_neighbour_id", "kilometres"],
}
RELATIONS = ("land", "sea", "bridge")


@dataclass(frozen=True)
class SpatialWeights:
    """One table of neighbours or islands.

    kind : pairs (who borders whom) | islands (communes without a neighbour on land, and the nearest over the sea)
    rows : number of rows of the table, so that a lost line is seen
    rule : how a neighbour is told; source : where the facts are from; script : what wrote the table
    """

    id: str
    title: Text
    kind: Literal["pairs", "islands"]
    vintage: Literal["VN2024", "VN2025"]
    level: Literal["province", "commune"]
    rows: int
    rule: Text
    source: Text
    script: str | None = None


def spatial_weights_table(identifier: str) -> pd.DataFrame:
    """The rows of one table, all columns text; the user's last folder wins. InputError where none has it."""
    for directory in reversed(catalog_directories()):
        path = directory / FOLDER / f"{identifier}.csv"
        if path.is_file():
            return _read(path).copy()
    raise InputError("catalog.weights_unknown", entry=identifier)


@cache
def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False, comment="#", encoding="utf-8")


def spatial_weight_problems(directory: Path) -> list[str]:
    """Every mistake in the folder of one catalog, one sentence each."""
    problems: list[str] = []
    files = sorted((directory / FOLDER).glob("*"))
    for path in files:
        if path.suffix == ".yaml":
            problems += _entry_problems(path)
        elif path.suffix == ".csv" and not path.with_suffix(".yaml").is_file():
            problems.append(label("catalog.weights_no_entry", file=f"{FOLDER}/{path.name}"))
        elif path.suffix not in (".csv", ".md"):
            problems.append(label("catalog.stray_file", file=f"{FOLDER}/{path.name}"))
    return problems


def _entry_problems(path: Path) -> list[str]:
    data, problems = read_yaml(path)
    if problems:
        return problems
    converter = Converter(f"{FOLDER}/{path.name}")
    entry = converter.convert(SpatialWeights, data, "")
    if entry is None or converter.found:
        return converter.found
    if entry.id != path.stem:
        converter.problem("id", "catalog.id_is_not_file", value=entry.id, expected=path.stem)
    table = path.with_suffix(".csv")
    if not table.is_file():
        return [*converter.found, label("catalog.weights_no_table", file=converter.file, table=table.name)]
    return converter.found + _table_problems(entry, table)


def _table_problems(entry: SpatialWeights, path: Path) -> list[str]:
    rows, file = _read(path), f"{FOLDER}/{path.name}"
    expected = COLUMNS[entry.kind]
    if list(rows.columns) != expected:
        found = ", ".join(rows.columns)
        return [label("catalog.weights_columns", file=file, found=found, expected=", ".join(expected))]
    found_problems = []
    if len(rows) != entry.rows:
        found_problems.append(label("catalog.weights_rows", file=file, found=len(rows), expected=entry.rows))
    wrong = _pair_problems(rows, entry) if entry.kind == "pairs" else _island_problems(rows, entry)
    return found_problems + [label(key, file=file, units=_some(units)) for key, units in wrong.items() if units]


def _pair_problems(rows: pd.DataFrame, entry: SpatialWeights) -> dict[str, list[str]]:
    pair = rows["unit_id"] + " – " + rows["neighbour_id"]
    wrong = {
        "catalog.weights_order": pair[rows["unit_id"] >= rows["neighbour_id"]].tolist(),
        "catalog.weights_twice": pair[pair.duplicated()].tolist(),
        "catalog.weights_relation": rows.loc[~rows["relation"].isin(RELATIONS), "relation"].unique().tolist(),
    }
    if entry.level == "province":
        codes = read_codelist(f"provinces_{entry.vintage.removeprefix('VN')}")["code"]
        known, named = set(entry.vintage + ":" + codes), set(rows["unit_id"]) | set(rows["neighbour_id"])
        wrong |= {
            "catalog.weights_unit_unknown": sorted(named - known),
            "catalog.weights_unit_absent": sorted(known - named),
        }
    return wrong


def _island_problems(rows: pd.DataFrame, entry: SpatialWeights) -> dict[str, list[str]]:
    ids = rows["unit_id"]
    foreign = ~ids.str.fullmatch(rf"{entry.vintage}:\d{{5}}")
    distance = pd.to_numeric(rows["kilometres"], errors="coerce")
    return {
        "catalog.weights_unit_unknown": ids[foreign].tolist(),
        "catalog.weights_twice": ids[ids.duplicated()].tolist(),
        "catalog.weights_island_neighbour": ids[rows["sea_neighbour_id"].isin(ids)].tolist(),
        "catalog.weights_distance": ids[~(distance > 0)].tolist(),
    }


def _some(units: list[str], most: int = 8) -> str:
    more = f" … (+{len(units) - most})" if len(units) > most else ""
    return ", ".join(unit or "∅" for unit in units[:most]) + more
