"""Exhibits of small areas: like beside like, smoothing, units outside a funnel, risks by rank."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tkyt_analysis.gallery import practice_figures as made
from tkyt_analysis.gallery.model import SIZES, Exhibit
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.figure import Figure


def exhibits() -> list[Exhibit]:
    """One exhibit per picture of `analysis.spatial`, and the funnel of the quality scores."""
    pictures: dict[str, Callable[..., Figure]] = {
        "area_moran": _moran,
        "area_shrinkage": partial(_shrinkage, communes=False),
        "area_shrinkage_communes": partial(_shrinkage, communes=True),
        "area_risks": partial(_risks, communes=False),
        "area_risks_communes": partial(_risks, communes=True),
    }
    found = [Exhibit(name, "areas", partial(_drawn, name, picture)) for name, picture in pictures.items()]
    return [*found, Exhibit("area_funnel", "areas", _funnel)]


def _drawn(name: str, picture: Callable[..., Figure], width: float, language: str) -> Figure:
    options = {
        "title": label(f"gallery.{name}.title", language),
        "note": label("page.practice", language),
        "size": "print" if width == SIZES["print"] else "phone",
        "language": language,
    }
    return picture(**options)


def _moran(**options: Any) -> Figure:
    from tkyt_analysis.analysis.spatial import moran_picture, place_weights

    return moran_picture(made.wave_of_2021(), place_weights("VN2025"), names=made.province_names(), **options)


def _counts(communes: bool) -> tuple[pd.Series, pd.Series, float]:
    """Events, population, per."""
    if communes:
        table = made.communes().set_index("unit_id")
        return table["events"], table["person_years"], 1000.0
    rates = made.drowning_rates().set_index("province")
    return rates["numerator"], rates["denominator"], 100000.0


def _shrinkage(*, communes: bool, **options: Any) -> Figure:
    from tkyt_analysis.analysis.spatial import empirical_bayes_rate, shrinkage_picture

    events, persons, per = _counts(communes)
    unit = label("gallery.map.unit" if communes else "gallery.map.unit_100000", options["language"])
    table = empirical_bayes_rate(events, persons, per=per)
    return shrinkage_picture(table, names=_names(communes), unit=unit, **options)


def _risks(*, communes: bool, **options: Any) -> Figure:
    from tkyt_analysis.analysis.spatial import gamma_poisson_rate, risk_picture

    events, persons, _ = _counts(communes)
    table = gamma_poisson_rate(events, persons * events.sum() / persons.sum())
    return risk_picture(table, names=_names(communes), **options)


def _names(communes: bool) -> dict[str, str]:
    return made.commune_names() if communes else made.province_names()


def _funnel(width: float, language: str) -> str:
    from tkyt_analysis.quality.scores.funnel import funnel
    from tkyt_analysis.quality.scores.funnel_picture import PAGE, PHONE, draw_funnel

    rates = made.drowning_rates().rename(columns={"province": "unit"})
    table = funnel(rates[["unit", "numerator", "denominator"]], statistic="rate", per=100000.0, overdispersion=False)
    return draw_funnel(
        table, title=label("gallery.area_funnel.title", language), across=label("gallery.area_funnel.across", language),
        names=made.province_names(), language=language, width=PAGE if width == SIZES["print"] else PHONE,
    )  # fmt: skip
