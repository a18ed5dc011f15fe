"""From what people write to ids: with or without accents, Vietnamese or English; a wrong name is answered with the nearest."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from tkyt_analysis.cube.model import DIMENSIONS, GEOGRAPHIES, NATION, Measure
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import LANGUAGES, current_language, label
from tkyt_analysis.reference.vietnamese_text import fold

if TYPE_CHECKING:
    import pandas as pd

Names = Mapping[str, Sequence[str]]  # id → names it goes by, the one to show first
_RANGE = re.compile(r"\s*(?:\.\.|–|—)\s*|(?<=\d{4})\s*-\s*(?=\d{4}$)")


def find_name(written: str, names: Names, *, kind: str) -> str:
    """The id that is meant: the id itself, else the one thing of that name; InputError with the nearest right ones.

    kind : label key under api.kind. of what is looked for ("measure", "dimension", "member" …)
    """
    if written in names:
        return written
    wanted = key(written)
    found = [one for one, called in names.items() if wanted in {key(one), *map(key, called)}]
    if len(found) == 1:
        return found[0]
    what = label(f"api.kind.{kind}")
    if found:
        raise InputError("error.api.name_ambiguous", what=what, name=written, found=listed(found, names))
    near = nearest(written, names)
    raise InputError("error.api.name_unknown", what=what, name=written, nearest=listed(near, names) or "–")


def nearest(written: str, names: Names, *, most: int = 4) -> list[str]:
    """Ids whose id or name looks most like what was written; those that hold all its words come next."""
    forms: dict[str, str] = {}
    for one, called in names.items():
        for form in (one, one.rsplit("/", 1)[-1], *called):
            forms.setdefault(key(form), one)
    wanted = key(written)
    close = [forms[form] for form in get_close_matches(wanted, list(forms), n=2 * most, cutoff=0.6)]
    holding = [one for form, one in forms.items() if wanted and all(word in form for word in wanted.split())]
    return list(dict.fromkeys([*close, *holding]))[:most]


def listed(ids: Iterable[str], names: Names) -> str:
    """ "crude_death_rate (Tỷ suất chết thô), …"."""
    return ", ".join(f"{one} ({names[one][0]})" if names[one] and names[one][0] != one else one for one in ids)


@lru_cache(maxsize=100_000)
def key(text: str) -> str:
    """A name without accents, case, punctuation and underscores."""
    return " ".join(re.sub(r"[_\W]+", " ", fold(str(text))).split())


def measure_names(measures: Mapping[str, Measure]) -> dict[str, list[str]]:
    """{id: titles in the session's language first, then other names}."""
    languages = sorted(LANGUAGES, key=lambda language: language != current_language())
    return {
        one.id: [*(one.title[language] for language in languages), *(one.options.get("also") or ())]
        for one in measures.values()
    }


def dimension_names() -> dict[str, list[str]]:
    """{dimension: its names in both languages}."""
    languages = sorted(LANGUAGES, key=lambda language: language != current_language())
    return {
        name: [label(f"chart.dimension.{name}", language) for language in languages]
        + [label(f"api.also.{name}", language) for language in languages]
        for name in DIMENSIONS
    }


def find_dimensions(written: Iterable[str | Sequence[str]]) -> tuple[str, ...]:
    """Dimensions from names given one by one or as a list."""
    flat = [name for one in written for name in ([one] if isinstance(one, str) else one)]
    return tuple(dict.fromkeys(find_name(name, dimension_names(), kind="dimension") for name in flat))


def find_geography(written: str) -> str:
    """ "VN2025" or "VN2024"."""
    also = {"VN2025": ["2025", "34"], "VN2024": ["2024", "63"]}
    return find_name(str(written), {name: also[name] for name in GEOGRAPHIES}, kind="geography")


def find_period(written: Any) -> str:
    """A period id, or "first..last", from "2025", 2025, "2024..2025", (2024, 2025), "tháng 6 năm 2025", a date; "" for all."""
    if written is None or written == "":
        return ""
    if isinstance(written, (tuple, list)):
        return "..".join(_one_period(one) for one in (written[0], written[-1]))
    if isinstance(written, str):
        ends = _RANGE.split(written.strip())
        if len(ends) == 2:
            return f"{_one_period(ends[0])}..{_one_period(ends[1])}"
    return _one_period(written)


def _one_period(written: Any) -> str:
    from tkyt_analysis.reference.period_words import parse_period

    if isinstance(written, datetime.date):
        return f"{written:%Y%m}"
    return parse_period(str(written)).period_id


def find_place(written: str, geography: str) -> str:
    """The unit that a name or id means: "VN", "VN2025:51", "Quảng Ngãi", "quang ngai", "Xã Trà Bồng, Quảng Ngãi"."""
    if key(written) in {key(NATION), "ca nuoc", "toan quoc", "viet nam", "nation"}:
        return NATION
    if ":" in written:
        return _by_id(written)
    name, _, within = written.partition(",")
    parent = find_place(within, geography) if within.strip() else NATION
    answers = []
    for level in _levels(geography):
        answers.append(_found_at(name.strip(), level, geography, parent))
        if answers[-1]["unit_id"]:
            return str(answers[-1]["unit_id"])
        if answers[-1]["reason"] == "places.unit_not_valid_at_date":
            break  # "Kon Tum" on the units of 2025: the province that is gone, not the ward of that name
    refused = next((one for one in answers if one["reason"] != "places.unknown_unit"), None)
    if refused is not None:
        raise InputError(refused["reason"], **refused["fields"])
    names = _unit_names(geography)
    near = nearest(name, names)
    raise InputError(
        "error.api.name_unknown", what=label("api.kind.place"), name=written, nearest=listed(near, names) or "–"
    )


def _by_id(written: str) -> str:
    from tkyt_analysis.access.scopes import is_known

    if written.partition(":")[0] in GEOGRAPHIES and not is_known(written):
        names = _unit_names(written.partition(":")[0])
        near = get_close_matches(written, list(names), n=4)
        what = label("api.kind.place")
        raise InputError("error.api.name_unknown", what=what, name=written, nearest=listed(near, names) or "–")
    return written


def _levels(geography: str) -> tuple[int, ...]:
    return (1, 2, 3) if geography == "VN2024" else (1, 3)


def _found_at(name: str, level: int, geography: str, parent: str) -> dict[str, Any]:
    import pandas as pd

    from tkyt_analysis.reference.places import find_places

    above = parent if level > 1 else NATION
    found: pd.DataFrame = find_places(pd.Series([name]), level=level, system=geography, parent=above)
    return found.iloc[0].to_dict()


@cache
def _unit_names(geography: str) -> dict[str, list[str]]:
    from tkyt_analysis.reference.places import places

    units = places(geography)
    return {unit: [full, name] for unit, full, name in units[["unit_id", "full_name", "name"]].itertuples(index=False)}


def find_members(dimension: str, written: Any, names: Mapping[str, str]) -> tuple[str, ...]:
    """Members of a dimension from their codes or names.

    names : {code: name} of the members that there are
    """
    values = [written] if isinstance(written, (str, int)) else list(written)
    called = {code: [name, *_also(dimension, code)] for code, name in names.items()}
    return tuple(dict.fromkeys(find_name(str(one), called, kind="member") for one in values))


def _also(dimension: str, code: str) -> list[str]:
    if dimension == "sex" and code in ("male", "female"):
        return [label(f"sex.{code}", language) for language in LANGUAGES]
    return []
