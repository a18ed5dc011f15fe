"""Excess deaths for a notebook: observed against expected by month (and by week in the practice country), added up, with Tết.

Months of the release are those that the cube answers (`tk.indicator`), on the units of 2025; the numbers of the baseline are the
catalog's (threshold `excess_deaths`), as in the release table of that name.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.cube.model import NATION
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, label
from tkyt_analysis.notebook_country import (
    Source,
    own_province,
    part_of,
    province_names,
    uses_country,
)

if TYPE_CHECKING:
    from tkyt_analysis.api.question import Question
    from tkyt_analysis.api.workbench import Workbench

KEY = "unit_id"
COUNTRY_BASELINE, COUNTRY_START, COUNTRY_END = "2015..2019", "2020-01-01", "202212"
MONTHS = 12


@dataclass(frozen=True)
class MonthlyDeaths(Source):
    """Deaths by month of a place and of the units below it.

    rows : unit_id, name, period_id, events, population (NaN where the release has none)
    baseline : "2015..2019" or "" (all months before `start`, but those of `exclude`); start : first day under study
    incomplete_from : first day whose month was not over when the data came, or None
    """

    rows: pd.DataFrame
    title: str
    baseline: str
    start: str
    exclude: tuple[tuple[str, str], ...]
    incomplete_from: str | None

    @property
    def own(self) -> pd.DataFrame:
        """Rows of the place itself."""
        return self.rows[self.rows[KEY] == self.place]

    def _repr_html_(self) -> str:
        months = self.own["period_id"]
        span = f"{month_words(months.min())}–{month_words(months.max())}" if len(months) else "–"
        return self.said(
            label(
                "excess_notebook.found",
                self.language,
                measure=self.title,
                place=self.name,
                months=len(months),
                span=span,
                below=self.rows[KEY].nunique() - 1,
                start=_day(self.start),
                baseline=self.baseline.replace("..", "–") or label("excess_notebook.before", self.language),
            )  # fmt: skip
        )


def month_words(period: str) -> str:
    """ "01/2025"."""
    return f"{period[4:]}/{period[:4]}"


def _day(iso: str) -> str:
    day = datetime.date.fromisoformat(iso)
    return f"{day:%d/%m/%Y}"


def monthly_deaths(
    workbench: Workbench,
    place: str,
    period: str = "",
    *,
    measure: str = "deaths",
    baseline: str = "",
    start: str = "",
    practice_country: str | bool = "auto",
) -> MonthlyDeaths:
    """Deaths by month of a place and the units below it, of the release or of the practice country.

    baseline : "2015..2019"; start : "2020-01-01"; "" for both: the catalog's numbers (the practice country has its own)
    """
    language, numbers = current_language(), rules()
    whole = workbench.indicator(measure, by="month", place=place, period=period)
    about = workbench.measures[whole.view.measures[0]]
    if about.method != "count":
        raise InputError("error.excess_notebook.count", measure=about.title[language])
    _dates(baseline, start)
    rows = _of_release(workbench, whole, place, period)
    first_study = start or _study_start(rows, workbench, numbers)
    lacks = _lacks(rows, first_study, numbers, language)
    if uses_country(workbench.release, practice_country, lacks):
        return _of_country(workbench, whole, place, lacks, baseline, start)
    unit = workbench.place(place)
    exclude = () if baseline else ((numbers["excluded_from"], numbers["excluded_to"]),)
    return MonthlyDeaths(
        whole, unit, workbench.place_name(unit), False, lacks, language, rows, about.title[language], baseline, first_study,
        exclude, f"{str(workbench.release.manifest['data_as_of'])[:7]}-01",
    )  # fmt: skip


def _dates(baseline: str, start: str) -> None:
    """InputError where a parameter is no date or no two years."""
    first, _, last = baseline.partition("..")
    years = not baseline or (first.isdigit() and last.isdigit() and len(first) == len(last) == 4)
    try:
        datetime.date.fromisoformat(start or COUNTRY_START)
    except ValueError:
        years = False
    if not years:
        raise InputError("error.excess_notebook.dates", baseline=baseline, start=start)


@cache
def rules() -> dict[str, Any]:
    """The catalog's numbers of the baseline (threshold excess_deaths)."""
    from tkyt_analysis.catalog import load_entry

    return dict(load_entry("thresholds", "excess_deaths").at(datetime.date.today()))


def _of_release(workbench: Workbench, whole: Question, place: str, period: str) -> pd.DataFrame:
    """MonthlyDeaths.rows. A month without a row has 0 where the measure says so (deaths), else no count; a withheld one has none."""
    unit, measure = workbench.place(place), whole.view.measures[0]
    part = part_of(workbench, place)
    own = whole.to_pandas().assign(**{KEY: unit, "name": workbench.place_name(unit)})
    parts = workbench.indicator(measure, by=[part, "month"], place=place, period=period).to_pandas()
    below = parts.rename(columns={part: KEY, f"{part}_name": "name"})
    rows = pd.concat([own, below[below[KEY] != unit]], ignore_index=True)
    rows = rows.rename(columns={"month": "period_id", "value": "events"}).astype({"period_id": "str"})
    rows = rows[[KEY, "name", "period_id", "events"]].assign(told=True)
    known = rows[rows["events"].notna()]
    if known.empty:
        return known.drop(columns="told").assign(population=pd.Series(dtype=float))
    months = pd.period_range(known["period_id"].min(), known["period_id"].max(), freq="M").strftime("%Y%m")
    units = known.groupby(KEY, sort=False, as_index=False).agg(name=("name", "first"), first=("period_id", "min"))
    full = units.merge(pd.DataFrame({"period_id": months}), how="cross")
    full = full[full["period_id"] >= full["first"]].drop(columns="first")  # before, its register had not begun
    full = full.merge(rows.drop(columns="name"), on=[KEY, "period_id"], how="left", validate="one_to_one")
    nobody = full["told"].isna() & bool(workbench.measures[measure].options.get("absent_is_zero"))
    full["events"] = full["events"].astype(float).mask(nobody, 0.0)
    return full.drop(columns="told").assign(population=float("nan"))


def _study_start(rows: pd.DataFrame, workbench: Workbench, numbers: dict[str, Any]) -> str:
    """The first of the last months that are over, as many as the catalog says; today's year where there is no month."""
    if rows.empty:
        return f"{datetime.date.today().year}-01-01"
    over = f"{str(workbench.release.manifest['data_as_of'])[:7]}".replace("-", "")
    last = pd.Period(rows.loc[rows["period_id"] < over, "period_id"].max(), freq="M")
    return str((last - int(numbers["study_months"]) + 1).start_time.date())


def _lacks(rows: pd.DataFrame, start: str, numbers: dict[str, Any], language: str) -> tuple[str, ...]:
    """Sentences: too few months before those under study, nothing to compare."""
    before = rows.loc[rows["period_id"] < start[:7].replace("-", ""), "period_id"].nunique()
    said = []
    if before < MONTHS * int(numbers["least_years"]):
        said.append(
            label("excess_notebook.few_months", language, found=before, start=_day(start), least=numbers["least_years"])
        )
    if rows[KEY].nunique() - 1 < 2:
        said.append(label("trend_notebook.few_places", language, found=max(0, rows[KEY].nunique() - 1)))
    return tuple(said)


def _of_country(
    workbench: Workbench, question: Question, place: str, lacks: tuple[str, ...], baseline: str, start: str
) -> MonthlyDeaths:
    """Monthly deaths of the practice country: the nation and its provinces, or one province."""
    from tkyt_analysis.practice.country_series import deaths_by_month

    unit, language = own_province(workbench, place), current_language()
    rows = deaths_by_month().table[[KEY, "period_id", "events", "population"]]
    rows = rows if unit == NATION else rows[rows[KEY] == unit]
    rows = rows if baseline or start else rows[rows["period_id"] <= COUNTRY_END]  # a trend is not carried on for long
    names = province_names() | {NATION: workbench.place_name(NATION)}
    return MonthlyDeaths(
        question, unit, workbench.place_name(unit), True, lacks, language, rows.assign(name=rows[KEY].map(names)),
        label("excess_notebook.deaths", language), baseline or COUNTRY_BASELINE, start or COUNTRY_START, (), None,
    )  # fmt: skip


def excess_of(deaths: MonthlyDeaths, *, method: str = "quasipoisson", tet: bool = True) -> pd.DataFrame:
    """`excess_deaths` of the place and of all units below it, at once; empty where the months before are too few."""
    from tkyt_analysis.analysis.trend import excess_deaths

    if deaths.missing and not deaths.country and _hopeless(deaths):
        return pd.DataFrame()
    options: dict[str, Any] = {"population": "population"} if deaths.rows["population"].notna().all() else {}
    first, _, last = deaths.baseline.partition("..")
    if deaths.baseline:
        options["baseline"] = (int(first), int(last))
    else:
        options["exclude"] = [*deaths.exclude, (deaths.start, "2100-12-31")]
    if method in ("quasipoisson", "excessmort"):
        options["tet"] = tet
    columns = [KEY, "period_id", "events", *(["population"] if "population" in options else [])]
    return excess_deaths(
        deaths.rows[columns], by=KEY, outcome="events", method=method, start=deaths.start, frequency=MONTHS,
        incomplete_from=deaths.incomplete_from, **options,
    )  # fmt: skip


def _hopeless(deaths: MonthlyDeaths) -> bool:
    before = deaths.own["period_id"] < deaths.start[:7].replace("-", "")
    return int(before.sum()) < MONTHS * int(rules()["least_years"])
