"""Deaths of a file or of the release by a cause list or a definition, written as a CSV whose sums are checked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from mortality.tabulation.cause_lists import GAP, UNKNOWN, CauseList, load_cause_list
from mortality.tabulation.death_counts import CODE, DEATHS, count_deaths_in_file, count_released_deaths
from mortality.tabulation.definitions import NOT_COUNTED, Definition, count_defined_deaths, load_definition
from mortality.tabulation.injury import INTENT, MECHANISM, injury_matrix
from mortality.tabulation.tables import tabulate_deaths, with_headings, with_titles
from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, label

INJURY_MATRIX = "injury_matrix"


@dataclass(frozen=True)
class Tabulation:
    """deaths = tabulated + gap + unknown; `outside` are the codes behind gap and unknown with their deaths."""

    list_id: str
    table: pd.DataFrame
    deaths: int
    tabulated: int
    gap: int
    unknown: int
    outside: pd.DataFrame
    release: str = ""

    def counts(self) -> dict[str, object]:
        """The plain values, without the tables."""
        return {name: value for name, value in asdict(self).items() if name not in ("table", "outside")}


def known_lists() -> list[str]:
    """Ids that `tabulate` takes: cause lists, definitions, the injury matrix."""
    return sorted([*load_entries("cause_lists"), *load_entries("cause_definitions"), INJURY_MATRIX])


def tabulate(
    source: Path | None,
    *,
    list_id: str,
    by: list[str],
    home: Path | None = None,
    code: str = "",
    headings: bool = False,
) -> Tabulation:
    """Deaths of `source` (see `count_deaths_in_file`), or of the current release of `home`, by `by` and item.

    table: `by`, item (or measure and part; or mechanism and intent), title, deaths; of definitions also weighted
    (half weights of avoidable deaths). With `headings`, sums of items stand in it too (is_heading).
    """
    if list_id not in known_lists():
        raise InputError("error.cause_list_unknown", found=list_id, known=", ".join(known_lists()))
    definition = list_id in load_entries("cause_definitions")
    wanted = list(dict.fromkeys([*by, *(["sex", "age_years"] if definition else [])]))
    release = ""
    if source is not None:
        counts = count_deaths_in_file(
            source, wanted, code=code, age_breaks=_age_breaks(list_id, by) if definition else ()
        )
    else:
        counts, release = count_released_deaths(home or Path(), wanted)
    table, outside = _table(counts, list_id, by, headings=headings)
    known = outside["item"] if len(outside) else pd.Series(dtype="str")
    gap, unknown = (int(outside.loc[known == name, DEATHS].sum()) for name in (GAP, UNKNOWN))
    total = int(counts[DEATHS].sum())
    return Tabulation(list_id, table, total, total - gap - unknown, gap, unknown, outside, release)


def _age_breaks(list_id: str, by: list[str]) -> tuple[int, ...]:
    """The ages at which a part of a definition begins or has ended; none where the ages themselves are asked for."""
    parts = load_definition(list_id).parts
    ends = [*parts["age_from"].dropna(), *(parts["age_to"].dropna() + 1)]
    return () if "age_years" in by else tuple(sorted({0, *map(int, ends)}))


def _table(counts: pd.DataFrame, list_id: str, by: list[str], *, headings: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    if list_id in load_entries("cause_definitions"):
        definition = load_definition(list_id)
        table = count_defined_deaths(counts, definition, by, deaths_column=DEATHS)
        return _definition_titles(table, definition), _no_outside()
    if list_id == INJURY_MATRIX:
        return _matrix_titles(injury_matrix(counts, by, deaths_column=DEATHS)), _outside(
            counts, load_cause_list(MECHANISM)
        )
    causes = load_cause_list(list_id)
    table = tabulate_deaths(counts, causes, by, deaths_column=DEATHS)
    if headings:
        table = with_headings(table, causes, by)
    return with_titles(table, causes), _outside(counts, causes)


def _outside(counts: pd.DataFrame, causes: CauseList) -> pd.DataFrame:
    """code, item (gap | unknown), deaths, most deaths first."""
    item = causes.item_of(counts[CODE])
    rows = pd.DataFrame({"code": counts[CODE].fillna(""), "item": item, DEATHS: counts[DEATHS]})
    rows = rows[item.isin([GAP, UNKNOWN])].groupby(["code", "item"], as_index=False)[DEATHS].sum()
    return rows.sort_values([DEATHS, "code"], ascending=[False, True], ignore_index=True)


def _no_outside() -> pd.DataFrame:
    return pd.DataFrame(
        {"code": pd.Series(dtype="str"), "item": pd.Series(dtype="str"), DEATHS: pd.Series(dtype="int64")}
    )


def _definition_titles(table: pd.DataFrame, definition: Definition) -> pd.DataFrame:
    parts = definition.parts
    keys = parts["measure"] + "\n" + parts["part"]
    titles = dict(zip(keys, parts[f"label_{current_language()}"]))
    own = {name: label(f"tabulation.part.{name}") for name in NOT_COUNTED}
    named = (table["measure"] + "\n" + table["part"]).map(titles).fillna(table["part"].map(own))
    return table.assign(title=named.astype("str"))


def _matrix_titles(table: pd.DataFrame) -> pd.DataFrame:
    for name, list_id in (("mechanism", MECHANISM), ("intent", INTENT)):
        renamed = table[[name]].rename(columns={name: "item"})
        table = table.assign(**{f"{name}_title": with_titles(renamed, load_cause_list(list_id))["title"]})
    return table


def write_tabulation(result: Tabulation, target: Path) -> None:
    """The table as CSV (UTF-8 with a mark, so that Excel shows Vietnamese); it appears only when it is whole."""
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        result.table.to_csv(unfinished, index=False, encoding="utf-8-sig", lineterminator="\n")
        unfinished.replace(target)
    except OSError as error:
        raise InputError("error.tabulation_target", file=target, reason=error.strerror or "") from error
    finally:
        unfinished.unlink(missing_ok=True)
