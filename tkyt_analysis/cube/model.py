"""What a figure is and what can be asked of it: the words that the cube, the interface `tk` and the explorer share.

A *measure* is what is counted or divided; a *dimension* is what it is broken down by; a *view* is one question; *figures*
are its answer. A view is a plain value: equal questions are equal views, and a view can be written to JSON and read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tkyt_analysis.catalog.entries import Text

if TYPE_CHECKING:
    import pandas as pd

NATION = "VN"
TOTAL = "total"  # stands in a dimension's column where that dimension was added up
UNKNOWN = "unknown"
GEOGRAPHIES = ("VN2025", "VN2024")
PLACES = ("region", "province", "district", "commune", "facility_type", "facility")
PERIODS = ("year", "half", "quarter", "month")
DIMENSIONS = (*PLACES, *PERIODS, "sex", "age_group", "cause", "place_of_death", "category")
OK, MODELLED, NOT_ASSESSABLE, SUPPRESSED = "ok", "modelled", "not_assessable", "suppressed"
STATUSES = (OK, MODELLED, NOT_ASSESSABLE, SUPPRESSED)

# Columns of `Figures.rows` after `measure` and the dimensions.
FIGURE_COLUMNS = (
    "numerator",  # what was counted (deaths, cases, reports received)
    "denominator",  # what it was divided by (person-years, reports due); missing for a count
    "value",  # the figure, in the measure's unit
    "lower",
    "upper",  # 95 % limits where the method gives them
    "status",  # ok | modelled (a modelled denominator) | not_assessable (no value, never a zero) | suppressed
    "expected",
    "received",  # reports due and received behind the figure; missing where no report is due
    "findings",  # open quality findings on the units, periods and elements behind the figure
    "moved",  # share 0–1 of the numerator that came through communes divided in 2025, by their default target
)


@dataclass(frozen=True)
class Measure:
    """One thing that can be asked for.

    id : of the catalog ("crude_death_rate"), a plain count ("deaths", "population"), a reported element
        ("<data set>/<element>") or a data set's reporting rate ("<data set>:reporting_rate")
    group : label key or data set id under which pickers list it; group_title : how that group is called
    method : count | average | crude | direct | proportion | ratio; by_age: what options["function"] makes of events and
        person-years by age; published: looked up in `indicator_value`
    numerator, denominator : ids of facts ("" for no denominator)
    unit : of the value, e.g. "trên 100.000 dân"
    dimensions : what it can be broken down by; additive : counts may be summed over every dimension
    per, decimals, higher_is, source, unverified : as in the indicator entry of the catalog
    dataset : data set whose reports stand behind it ("" for none)
    """

    id: str
    title: Text
    unit: Text
    group: str
    group_title: Text
    method: str
    numerator: str
    denominator: str = ""
    dimensions: frozenset[str] = frozenset()
    per: float = 1.0
    decimals: int = 0
    definition: Text | None = None
    source: str = ""
    unverified: bool = False
    higher_is: str = "neutral"
    dataset: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)

    @property
    def additive(self) -> bool:
        """Whether parts of the value sum to the whole."""
        return self.method == "count"


@dataclass(frozen=True)
class View:
    """One question: measures, broken down by dimensions, within a place and period, kept members only.

    by : dimensions, in the order of the columns that come back
    place : unit_id of the nation, a province, a district (VN2024) or a commune
    geography : "VN2025" (34 provinces) or "VN2024" (63): the units that figures are put on, whatever the date
    period : "" (all), one period id ("2024", "202403", "2024Q1") or a range "2023..2025", "202401..202412"
    where : (dimension, members kept) pairs
    cause_list : the catalog's cause list that the dimension `cause` uses
    """

    measures: tuple[str, ...]
    by: tuple[str, ...] = ()
    place: str = NATION
    geography: str = "VN2025"
    period: str = ""
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    cause_list: str = "icd10_chapters"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `view_from` reads them back."""
        return {**asdict(self), "where": {name: list(kept) for name, kept in self.where}}

    def keeping(self, dimension: str, members: Iterable[str]) -> View:
        """The view with only these members of a dimension (none: all of them again)."""
        kept = tuple(members)
        others = tuple((name, values) for name, values in self.where if name != dimension)
        return replace(self, where=(*others, (dimension, kept)) if kept else others)


def view_from(values: Mapping[str, Any]) -> View:
    """A view from what `View.as_dict` wrote."""
    where = tuple((name, tuple(kept)) for name, kept in dict(values.get("where", {})).items())
    return View(
        **{
            **values,
            "measures": tuple(values["measures"]),
            "by": tuple(values.get("by", ())),
            "where": where,
        }
    )


@dataclass(frozen=True, eq=False)
class Figures:
    """The answer to a view.

    rows : measure, the dimensions of `view.by` (codes; TOTAL where a dimension was added up), FIGURE_COLUMNS
    names : {dimension: {code: name to show}}, members in their natural order (ages by age, not by alphabet)
    measures : {id: Measure} of the view
    passport : release, snapshot, catalog_version, code_version, data_as_of, practice
    remarks : sentences that belong under every table or picture of these figures (what to be careful about)
    """

    view: View
    rows: pd.DataFrame
    names: Mapping[str, Mapping[str, str]]
    measures: Mapping[str, Measure]
    passport: Mapping[str, Any]
    remarks: tuple[str, ...] = ()
