"""A supplied CSV file → a table whose figures are numbers, whose codes stay text and whose areas are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label
from tkyt_analysis.reference.series_file import read_counts_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tkyt_analysis.analysis.spatial.weights import Weights

FIGURES = frozenset({
    "year", "nam", "week", "month", "rate", "value", "asr", "adjusted_rate", "se", "standard_error", "std_error", "count",
    "events", "deaths", "cases", "observed", "outcome", "population", "person_years", "persons", "pop", "expected",
    "controls", "weight", "x", "y", "longitude", "latitude", "lon", "lat", "long", "lng",
})  # fmt: skip
AREA = ("unit_id", "area", "area_id", "province_id", "commune_id", "district_id", "province", "commune", "code", "name")
_VIET_NAM = r"VN20(?:24|25):\d+"
_PROVINCE, _COMMUNE = 2, 5  # digits of a code


@dataclass(frozen=True)
class FileAnswer:
    """What an analysis of a file found.

    table : all that is written; shown : the few rows and columns that are said on the screen; sentence : in words
    summary : for machines; picture : (title, note) → figure
    """

    table: pd.DataFrame
    shown: pd.DataFrame
    sentence: str
    summary: dict[str, Any]
    picture: Callable[[str, str], Figure]


def read_rows(
    path: Path, *, figures: Sequence[str | None] = (), keys: Sequence[str | None] = (), only: Sequence[str] = ()
) -> pd.DataFrame:
    """The rows of a file (UTF-8; comma, semicolon or tab).

    figures : columns of numbers that the user names, besides those of the usual names (`FIGURES`); keys : columns that stay text
    only : "column=value", rows that are kept. InputError says the line and column of what cannot be read.
    """
    header = read_counts_file(path, [])
    twice = header.columns[header.columns.duplicated()]
    if len(twice):
        raise InputError("error.analyse.column_twice", file=path.name, column=twice[0])
    named = [name for name in (*figures, *keys) if name]
    _require(header, [*named, *(text.partition("=")[0] for text in only)], path)
    usual = [name for name in header.columns if name.casefold() in FIGURES and name not in keys]
    return _kept(read_counts_file(path, list(dict.fromkeys([*(name for name in figures if name), *usual]))), only)


def _require(table: pd.DataFrame, columns: Sequence[str], path: Path) -> None:
    absent = [name for name in columns if name not in table.columns]
    if absent:
        found = ", ".join(map(str, table.columns))
        raise InputError("error.analyse.column", file=path.name, column=absent[0], found=found)


def _kept(table: pd.DataFrame, only: Sequence[str]) -> pd.DataFrame:
    for text in only:
        column, equals, value = text.partition("=")
        if not equals:
            raise InputError("error.analyse.only", value=text)
        kept = table[table[column].astype("str").str.strip() == value.strip()]
        if kept.empty:
            some = ", ".join(table[column].astype("str").drop_duplicates().head(6))
            raise InputError("error.analyse.only_nothing", column=column, value=value, found=some)
        table = kept
    return table.reset_index(drop=True)


def area_column(table: pd.DataFrame, given: str | None) -> str:
    """The column that names the areas: the one given, else one of the usual names."""
    found = given or next((name for name in AREA if name in table.columns), None)
    if found is None:
        raise InputError("error.analyse.area", found=", ".join(map(str, table.columns)), names=", ".join(AREA))
    return found


def place_ids(areas: pd.Series, vintage: str | None) -> pd.Series | None:
    """Unit ids of Viet Nam (VN2025:51) of the areas, or None where they are something else.

    vintage : "VN2024" or "VN2025", for bare codes (51, 21040)
    """
    text = areas.astype("str").str.strip()
    if vintage is not None:
        text = text.where(text.str.contains(":"), vintage + ":" + text)
    first = text.iloc[0] if len(text) else ""
    same = text.str.fullmatch(_VIET_NAM) & text.str.startswith(first[:7]) & (text.str.len() == len(first))
    return text if same.all() and len(first) - len("VN2025:") in (_PROVINCE, _COMMUNE) else None


def level_of(ids: pd.Series) -> str:
    """ "province" or "commune"."""
    return "province" if len(ids.iloc[0]) == len("VN2025:") + _PROVINCE else "commune"


def neighbours_of(areas: pd.Series, neighbours: str, vintage: str | None) -> Weights | pd.DataFrame:
    """Neighbours of the areas: "province" or "commune" (the catalog's, named as in the file), or a file of pairs i, j[, weight]."""
    if neighbours not in ("province", "commune"):
        pairs = read_counts_file(Path(neighbours), [])
        return (
            pairs.assign(weight=read_counts_file(Path(neighbours), ["weight"])["weight"])
            if "weight" in pairs
            else pairs
        )
    from dataclasses import replace

    from tkyt_analysis.analysis.spatial import place_weights

    ids = known_places(areas, vintage)
    if level_of(ids) != neighbours:
        raise InputError("error.analyse.level", asked=neighbours, found=ids.iloc[0])
    weights = place_weights(ids.iloc[0][:6], neighbours)
    unknown = ids[~ids.isin(weights.ids)]
    if len(unknown):
        raise InputError("error.analyse.unknown_place", value=unknown.iloc[0], count=len(unknown))
    kept = weights.subset(weights.ids.isin(ids))
    names = pd.Series(areas.to_numpy(), index=ids.to_numpy()).groupby(level=0).first()
    return replace(kept, ids=pd.Index(names.reindex(kept.ids).to_numpy()))


def known_places(areas: pd.Series, vintage: str | None) -> pd.Series:
    """As `place_ids`; InputError where the areas are not provinces or communes of Viet Nam."""
    ids = place_ids(areas, vintage)
    if ids is None:
        raise InputError("error.analyse.places", found=", ".join(areas.astype("str").drop_duplicates().head(3)))
    return ids


def reasons_in_words(table: pd.DataFrame) -> pd.DataFrame:
    """The table with `remark` beside `reason`: why there is no figure, or what to mind."""
    words = {key: label(key) for key in table["reason"].astype("str").unique() if key}
    return table.assign(remark=table["reason"].map(words).fillna(""))


def named(table: pd.DataFrame, columns: Sequence[str], vintage: str | None = None) -> pd.DataFrame:
    """The table with `name` after the first of the columns that holds places of Viet Nam; as it was where none does."""
    for column in columns:
        ids = place_ids(table[column], vintage) if len(table) and "name" not in table else None
        if ids is not None:
            return table.assign(name=place_names(ids))[_after(table, column)]
    return table


def _after(table: pd.DataFrame, column: str) -> list[str]:
    columns = list(table.columns)
    place = columns.index(column) + 1
    return [*columns[:place], "name", *columns[place:]]


def place_names(ids: pd.Series) -> pd.Series:
    """Names of unit ids of one system; an unknown one stays as it is."""
    from tkyt_analysis.reference.places import places

    names = places(str(ids.iloc[0])[:6]).drop_duplicates("unit_id").set_index("unit_id")["name"]
    return ids.map(names).fillna(ids)
