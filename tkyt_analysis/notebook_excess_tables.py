"""What the notebook of excess deaths shows: the picture, the sum in words, last months, Tết, all units below, weeks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.cube.model import NATION
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.notebook_country import Answer, Source, capital, map_of, province_names, range_text, two_sizes
from tkyt_analysis.notebook_excess import KEY, MonthlyDeaths, excess_of, month_words, rules

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 12  # months in the table
WEEKS_SINCE = "2024-01-01"
DELAYED = "VN2025:79"  # the province of the practice country whose late reports are shown where none is chosen


def excess_html(deaths: MonthlyDeaths, found: pd.DataFrame) -> Answer:
    """Observed, expected, excess and its sum as a picture; in words: how much, per 100,000, against which years."""
    from tkyt_analysis.pages import notice, paragraph

    own = _own(deaths, found)
    if own.empty:
        return _nothing(deaths)
    html = two_sizes(
        lambda size: _picture(own, deaths, size),
        caption=label("excess_notebook.picture", deaths.language, place=deaths.name, note=deaths.note),
    )
    html += paragraph(summary(own, deaths))
    reasons = [one for one in own["reason"].unique() if one]
    html += "".join(notice(label(one, deaths.language), kind="warning", language=deaths.language) for one in reasons)
    return deaths.answer(own, html)


def _own(deaths: MonthlyDeaths, found: pd.DataFrame) -> pd.DataFrame:
    """Months under study of the place."""
    if found.empty:
        return found
    return found[(found[KEY] == deaths.place) & (found["date"] >= pd.Timestamp(deaths.start))].reset_index(drop=True)


def _nothing(deaths: MonthlyDeaths) -> Answer:
    return deaths.nothing("excess_notebook.nothing", place=capital(deaths.name), least=rules()["least_years"])


def _picture(rows: pd.DataFrame, deaths: Source, size: str, since: str | None = None) -> Figure:
    from tkyt_analysis.analysis.trend import excess_picture

    title = label("excess_notebook.title", deaths.language, place=deaths.name)
    return excess_picture(rows, title=title, since=since, size=size, note=deaths.note, language=deaths.language)


def summary(rows: pd.DataFrame, deaths: Source) -> str:
    """ "Từ 01/2020 đến 12/2025: vượt mức 30.682 (từ … đến …), bằng 0,9 % số kỳ vọng, 31,0 trên 100.000 dân; nền 2015–2019"."""
    language = deaths.language
    judged = rows[rows["cumulative_excess"].notna()]
    if judged.empty:
        return label("verdict.not_assessable", language)
    last = judged.iloc[-1]
    said = label(
        "excess_notebook.summary", language, first=_date(rows["date"].iloc[0]), last=_date(last["period_end"]),
        excess=range_text(last["cumulative_excess"], last["cumulative_lower"], last["cumulative_upper"], 0, language),
        share=format_number(last["cumulative_p_score"], 1, language), baseline=last["baseline"],
    )  # fmt: skip
    if pd.notna(last["cumulative_rate"]):
        said += " " + label(
            "excess_notebook.per_persons", language, rate=format_number(last["cumulative_rate"], 1, language)
        )
    left_out = int(last["periods_missing"]) + int((rows["date"] > last["date"]).sum())
    if left_out:
        said += " " + label("excess_notebook.left_out", language, periods=left_out)
    return said


def _date(moment: Any) -> str:
    return f"{pd.Timestamp(moment):%d/%m/%Y}"


def months_html(deaths: MonthlyDeaths, found: pd.DataFrame) -> Answer:
    """The last months as a table; a month that is not over has no excess and says so."""
    from tkyt_analysis.pages import table_html

    own = _own(deaths, found).tail(SHOWN)
    if own.empty:
        return _nothing(deaths)
    language = deaths.language
    table = pd.DataFrame({
        "month": [month_words(str(one)) for one in own["period_id"]],
        "observed": [format_number(one, 0, language) for one in own["reported"]],
        "expected": [
            range_text(one.expected, one.expected_lower, one.expected_upper, 0, language) for one in own.itertuples()
        ],
        "excess": [range_text(one.excess, one.lower, one.upper, 0, language) for one in own.itertuples()],
        "says": [_says(one, language) for one in own.to_dict("records")],
    })  # fmt: skip
    headings = {name: label(f"excess_notebook.column.{name}", language) for name in table}
    caption = label("excess_notebook.table.months", language, place=deaths.name, months=len(table))
    return deaths.answer(own, table_html(table, headings=headings, caption=caption, stacked=True))


def _says(row: dict[Any, Any], language: str) -> str:
    if row["status"] == "not_assessable":
        return label(row["reason"], language) if row["reason"] else label("verdict.not_assessable", language)
    return label(f"excess_notebook.signal.{row['signal'] or 'none'}", language)


def tet_html(deaths: MonthlyDeaths, found: pd.DataFrame) -> Answer:
    """What would be expected in the months of Tết if the model did not know Tết; nothing where the method cannot be told."""
    from tkyt_analysis.notebook_course import first_day_of_tet
    from tkyt_analysis.pages import paragraph, table_html

    own = _own(deaths, found)
    if own.empty:
        return _nothing(deaths)
    if not own["method"].str.contains("tet", case=False).any():
        return deaths.nothing("excess_notebook.no_tet")
    without = _own(deaths, excess_of(deaths, tet=False))
    language = deaths.language
    both = own.merge(without[["period_id", "expected"]], on="period_id", suffixes=("", "_without"))
    days = {f"{day:%Y%m}": day for day in map(first_day_of_tet, sorted(both["date"].dt.year.unique()))}
    around = sorted({str(pd.Period(one, freq="M") + step).replace("-", "") for one in days for step in (-1, 0, 1)})
    both = both[both["period_id"].isin(around) & both["expected"].notna()]
    table = pd.DataFrame({
        "month": [month_words(one) for one in both["period_id"]],
        "tet": [f"{days[one]:%d/%m}" if one in days else "–" for one in both["period_id"]],
        "observed": [format_number(one, 0, language) for one in both["observed"]],
        "with": [format_number(one, 0, language) for one in both["expected"]],
        "without": [format_number(one, 0, language) for one in both["expected_without"]],
    })  # fmt: skip
    headings = {name: label(f"excess_notebook.tet.{name}", language) for name in table}
    html = paragraph(label("excess_notebook.tet", language))
    html += table_html(table, headings=headings, caption=label("excess_notebook.table.tet", language))
    return deaths.answer(both, html)


def below_html(deaths: MonthlyDeaths, found: pd.DataFrame) -> Answer:
    """The sum of every unit below: map of the percentage where they are provinces, table with limits."""
    from tkyt_analysis.pages import table_html

    if found.empty:
        return _nothing(deaths)
    rows = found[(found[KEY] != deaths.place) & found["cumulative_excess"].notna()]
    rows = rows[rows["date"] >= pd.Timestamp(deaths.start)].groupby(KEY, as_index=False).last()
    if len(rows) < 2:
        return deaths.nothing("trend_notebook.nothing_below", place=deaths.name)
    language, names = deaths.language, deaths.rows.drop_duplicates(KEY).set_index(KEY)["name"]
    rows = rows.sort_values("cumulative_p_score", ascending=False)
    share = 100 / rows["cumulative_expected"]
    ends = {"lower": rows["cumulative_lower"] * share, "upper": rows["cumulative_upper"] * share}
    rows = rows.assign(value=rows["cumulative_p_score"], **ends)
    span = f"{_date(deaths.start)}–{_date(rows['period_end'].max())}"
    html = ""
    if deaths.place == NATION:
        title = label("excess_notebook.map", language, span=span)
        html = map_of("change", rows[[KEY, "value", "lower", "upper"]], deaths, unit="%", title=title)
    table = pd.DataFrame({
        "place": rows[KEY].map(names).to_list(),
        "share": [range_text(one.value, one.lower, one.upper, 1, language) for one in rows.itertuples()],
        "excess": [
            range_text(one.cumulative_excess, one.cumulative_lower, one.cumulative_upper, 0, language)
            for one in rows.itertuples()
        ],
    })  # fmt: skip
    headings = {name: label(f"excess_notebook.below.{name}", language) for name in table}
    caption = label("excess_notebook.table.below", language, span=span)
    html += table_html(table, headings=headings, caption=caption)
    return Answer(rows, html) if deaths.place == NATION else deaths.answer(rows, html)


def weeks_html(deaths: MonthlyDeaths) -> Answer:
    """Weeks of the practice country with week 53, Tết, heat, and the last weeks raised by what is still to be reported.

    A release knows the month of a death, not its week: of it there is a sentence.
    """
    if not deaths.country:
        return deaths.nothing("excess_notebook.no_weeks")
    from tkyt_analysis.analysis.trend import excess_deaths, nowcast
    from tkyt_analysis.pages import notice, paragraph
    from tkyt_analysis.practice.country_series import deaths_by_week, reporting_triangle

    unit = deaths.place if deaths.place != NATION else DELAYED
    name = province_names()[unit]
    made = deaths_by_week().table
    weeks = made[made[KEY] == unit]
    raised = nowcast(reporting_triangle(unit_id=unit).table, time="period_id", value="events", delay="delay")
    reported = raised.set_index("period")["reported"]
    known = weeks["period_id"].map(reported)
    weeks = weeks.assign(events=known.fillna(weeks["events"]))
    late = raised[~raised["complete"]].rename(columns={"period": "period_id"})
    first, _, last = deaths.baseline.partition("..")
    found = excess_deaths(
        weeks[["period_id", "events", "population", "heat_days"]], baseline=(int(first), int(last)), start=WEEKS_SINCE,
        outcome="events", population="population", tet=True, regressors=["heat_days"], nowcast=late,
    )  # fmt: skip
    found = found[found["date"] >= pd.Timestamp(WEEKS_SINCE)].reset_index(drop=True)
    place = Source(deaths.question, unit, name, True, (), deaths.language)
    html = two_sizes(
        lambda size: _picture(found, place, size),
        caption=label("excess_notebook.picture_weeks", deaths.language, place=name, note=deaths.note),
    )
    html += paragraph(summary(found, place))
    text = label("excess_notebook.late", deaths.language, weeks=len(late))
    return deaths.answer(found, html + notice(text, language=deaths.language))
