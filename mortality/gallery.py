"""Exhibits of the pictures of mortality, on drawn figures: invented, but shaped like those of a province."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mortality import gallery_figures as made
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.gallery.model import Exhibit


def exhibits() -> list[Exhibit]:
    """One exhibit per picture of the module; all are SVG in a page, the same for paper and phone."""
    from tkyt_analysis.gallery.model import Exhibit

    pictures: dict[str, Callable[[str], str]] = {
        "deaths_survival": _survival,
        "deaths_expectancy": _expectancy,
        "deaths_difference": _difference,
        "deaths_ranks": _ranks,
        "deaths_components": _components,
        "deaths_redistribution": _redistribution,
        "deaths_flow": _flow,
        "deaths_completeness_methods": _methods,
        "deaths_completeness_places": _places,
        "deaths_completeness_ages": _by_age,
        "deaths_completeness_ranges": _age_ranges,
        "deaths_step_dots": _step_dots,
        "deaths_step_rates": _step_rates,
        "deaths_step_ages": _step_ages,
        "deaths_step_groups": _step_groups,
        "deaths_step_causes": _step_causes,
    }
    return [Exhibit(name, "mortality", partial(_drawn, picture)) for name, picture in pictures.items()]


def _drawn(picture: Callable[[str], str], width: float, language: str) -> str:
    return picture(language)


def _caption(key: str, language: str, **fields: Any) -> str:
    """The caption that the product uses, and that the figures are no real ones."""
    return f"{label(key, language, **fields)} ({label('gallery.deaths.invented', language)})"


def _here(language: str) -> dict[str, Any]:
    return {"place": label("gallery.deaths.place", language), "year": made.YEAR}


def _survival(language: str) -> str:
    from mortality.measure_pictures import courses

    ages, survivors = made.survivors()
    lines = [(label(f"sex.{sex}", language), survivors[sex]) for sex in survivors]
    caption = _caption("life_notebook.picture.survival", language, **_here(language))
    unit = label("life_notebook.survivors", language)
    return courses(ages, lines, most=100_000, language=language, caption=caption, unit=unit)


def _expectancy(language: str) -> str:
    from mortality.measure_pictures import Dot, interval_dots

    rows = []
    for sex, (registered, corrected) in made.expectancies().items():
        dots = [Dot(registered, registered - 0.5, registered + 0.5, hollow=True), Dot(corrected, corrected - 1.2, corrected + 1.1)]  # fmt: skip
        rows.append((f"{made.YEAR} · {label(f'sex.{sex}', language)}", dots))
    key = (label("measures.column.corrected", language), label("measures.column.registered", language))
    caption = _caption("life_notebook.picture.expectancy", language, **_here(language))
    return interval_dots(rows, key=key, decimals=1, language=language, caption=caption)


def _difference(language: str) -> str:
    from mortality.measure_pictures import contributions

    key = [label(f"life_notebook.group.{one}", language) for one in made.GROUPS]
    fields = {"first": "2019", "second": str(made.YEAR), "sex": label("sex.male", language).lower()}
    caption = _caption("life_notebook.picture.difference", language, **fields)
    unit = label("life_notebook.years_added", language)
    return contributions(made.BANDS, made.contributions(), key, language=language, caption=caption, unit=unit)


def _ranks(language: str) -> str:
    from mortality.measure_pictures import ranks
    from mortality.reports.redistribution_chart import titles

    rows = made.ranked_causes()
    names = titles(rows["cause"], made.LIST, language)
    lines = list(zip(names, *(rows[one].tolist() for one in ("rank", "low", "high")), strict=True))
    return ranks(lines, caption=_caption("cause_notebook.picture.ranks", language), last=len(lines))


def _components(language: str) -> str:
    from mortality.measure_pictures import shares

    key = [label(f"cause_notebook.source.{one}", language) for one in ("counts", "completeness", "redistribution", "denominator")]  # fmt: skip
    rows = [(label(f"life_notebook.group.{group}", language), parts) for group, parts in made.variance_parts().items()]
    caption = _caption("cause_notebook.picture.components", language, **_here(language))
    return shares(rows, key, language=language, caption=caption)


def _redistribution(language: str) -> str:
    from mortality.reports.redistribution_chart import draw_redistribution

    return draw_redistribution(made.redistributed(), cause_list=made.LIST, most=12, language=language)


def _flow(language: str) -> str:
    from mortality.persons_release.flow_diagram import flow_figure

    return flow_figure(made.flow(), language, **_here(language))


def _methods(language: str) -> str:
    from mortality.completeness_pictures import draw_methods

    return draw_methods(made.completeness_by_method(), language, place=label("gallery.deaths.place", language))


def _places(language: str) -> str:
    from mortality.completeness_pictures import draw_places
    from tkyt_analysis.gallery.practice_figures import province_names

    names = province_names()
    return draw_places(made.completeness_by_place(list(names)), names, language, year=made.YEAR)


def _by_age(language: str) -> str:
    from mortality.completeness_pictures import draw_by_age

    return draw_by_age(made.completeness_by_age(), language, **_here(language))


def _age_ranges(language: str) -> str:
    from mortality.completeness_pictures import draw_age_ranges

    points, ranges, line = made.growth_balance()
    return draw_age_ranges(points, ranges, line, language, example=True)


def _step_dots(language: str) -> str:
    from mortality.ten_steps.pictures import dots

    methods = ("capture_recapture_3", "adair_lopez_2", "expected_deaths")
    names = [label(f"completeness.method.{one}", language) for one in methods]
    value = np.array([0.78, 0.84, 0.91])
    return dots(
        names, value, value - 0.07, value + 0.06, low=0.8, high=1.0, scale=100, language=language,
        caption=_caption("ten_steps.picture.completeness", language),
    )  # fmt: skip


def _step_rates(language: str) -> str:
    from mortality.ten_steps.pictures import age_rates

    ages, rates = made.rates_by_age()
    lines = [(label(f"sex.{sex}", language), values) for sex, values in rates.items()]
    lines.append((label("ten_steps.key.reference", language), np.mean(list(rates.values()), axis=0)))
    unit = label("ten_steps.picture.rates.unit", language)
    return age_rates(ages, lines, language=language, caption=_caption("ten_steps.picture.rates", language), unit=unit)


def _step_ages(language: str) -> str:
    from mortality.ten_steps.pictures import age_columns

    names, seen, wanted = made.deaths_by_age()
    key = (label("ten_steps.key.registered", language), label("ten_steps.key.expected", language))
    caption = _caption("ten_steps.picture.ages", language)
    return age_columns(names, seen, wanted, key=key, language=language, caption=caption)


def _step_groups(language: str) -> str:
    from mortality.ten_steps.pictures import stacked

    years, parts, totals = made.broad_groups()
    key = [label(f"ten_steps.group.{group}", language) for group in ("communicable", "noncommunicable", "external")]
    notes = [format_number(one, 0, language) for one in totals]
    return stacked(years, parts, key, notes, caption=_caption("ten_steps.picture.groups", language))


def _step_causes(language: str) -> str:
    from mortality.ten_steps.pictures import bars

    total, grave = made.garbage_by_type()
    names = [label(f"ten_steps.type.{number}", language) for number in range(1, 6)]
    notes = [format_number(one, 0, language) for one in total]
    key = (label("ten_steps.key.grave", language), label("ten_steps.key.light", language))
    return bars(names, total, grave, notes, key, _caption("ten_steps.picture.garbage", language))
