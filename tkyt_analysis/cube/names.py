"""Names of the members of dimensions, in their natural order: ages by age, places and causes by code, periods by date."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tkyt_analysis.cube.facts import quoted
from tkyt_analysis.cube.model import PERIODS, TOTAL, UNKNOWN, Figures, View
from tkyt_analysis.cube.wording import form_categories
from tkyt_analysis.labels import all_labels, current_language, label

if TYPE_CHECKING:
    import pandas as pd

    from tkyt_analysis.cube.session import Cube

_UNITS = ("province", "district", "commune", "facility")
_SEXES = ("male", "female", UNKNOWN)
_DEATH_PLACES = ("home", "health_facility", "on_the_way", "other", UNKNOWN)


def names_of(cube: Cube, view: View, rows: pd.DataFrame) -> dict[str, dict[str, str]]:
    """{dimension: {member: name}} of the members that stand in the rows, the total last."""
    return {name: member_names(cube, view, name, rows[name].dropna().unique()) for name in view.by}


def member_names(cube: Cube, view: View, dimension: str, members: Iterable[str]) -> dict[str, str]:
    """{member: name} of these members of a dimension in their natural order, UNKNOWN and TOTAL last."""
    codes = [str(one) for one in members]
    plain = [one for one in codes if one not in (TOTAL, UNKNOWN)]
    named = _named(cube, view, dimension, plain)
    last = {one: label(f"cube.{one}") for one in (UNKNOWN, TOTAL) if one in codes}
    return {**named, **last}


def _named(cube: Cube, view: View, dimension: str, codes: list[str]) -> dict[str, str]:
    language = current_language()
    if dimension in _UNITS:
        return _unit_names(cube, codes)
    if dimension == "region":
        from tkyt_analysis.catalog import read_codelist

        rows = read_codelist("regions").query("system == @view.geography").set_index("region_id")[f"name_{language}"]
        return {code: rows[code] for code in rows.index if code in codes}
    if dimension in PERIODS:
        from tkyt_analysis.reference.periods import format_period

        return {code: format_period(code, language) for code in sorted(codes)}
    if dimension == "age_group":
        return _age_names(codes, language)
    if dimension == "cause":
        from tkyt_analysis.modules import load_object, parts

        listed = load_object(parts("code_names")["cause"])(view.cause_list)
        return {item: text[language] for item, text in listed.items() if item in codes}
    if dimension == "category":
        return _category_names(cube, codes, language)
    order = {"sex": _SEXES, "place_of_death": _DEATH_PLACES}.get(dimension, ())
    ordered = [*(one for one in order if one in codes), *sorted(one for one in codes if one not in order)]
    return {code: _word(dimension, code, language) for code in ordered}


def _word(dimension: str, code: str, language: str) -> str:
    key = f"sex.{code}" if dimension == "sex" else f"cube.{dimension}.{code}"
    return label(key, language) if key in all_labels() else code


def _unit_names(cube: Cube, codes: list[str]) -> dict[str, str]:
    if not codes:
        return {}
    listed = ", ".join(quoted(one) for one in codes)
    sql = f"SELECT unit_id, any_value(name) FROM organisation_unit WHERE unit_id IN ({listed}) GROUP BY 1"
    if "facility" in cube.release.tables():
        sql += (
            f" UNION ALL SELECT facility_id, any_value(name) FROM facility WHERE facility_id IN ({listed}) GROUP BY 1"
        )
    found = dict(cube.con.execute(sql).fetchall())
    return {code: found.get(code) or code for code in sorted(codes)}


def _age_names(codes: list[str], language: str) -> dict[str, str]:
    from tkyt_analysis.reference.ages import parse_band

    return {code: code.replace("-", "–") for code in sorted(codes, key=lambda one: parse_band(one)[0])}


def _category_names(cube: Cube, codes: list[str], language: str) -> dict[str, str]:
    """Names received with the metadata; columns of forms by their heading, in the order of the form."""
    received = dict(cube.con.execute("SELECT category_id, any_value(name) FROM category GROUP BY 1").fetchall()) if (
        "category" in cube.release.tables()
    ) else {}  # fmt: skip
    columns = form_categories()
    place = {code: number for number, code in enumerate(columns)}
    names = {code: received.get(code) or (columns[code][language] if code in columns else code) for code in codes}
    return dict(sorted(names.items(), key=lambda pair: (place.get(pair[0], -1), pair[1])))


def members(release: object, view: View, dimension: str) -> dict[str, str]:
    """{member: name} that a dimension has within a view (its place and period, its own filter left out)."""
    from dataclasses import replace

    from tkyt_analysis.cube.figures import evaluate

    figures: Figures = evaluate(release, replace(view.keeping(dimension, ()), by=(dimension,)))  # type: ignore[arg-type]
    return dict(figures.names[dimension])
