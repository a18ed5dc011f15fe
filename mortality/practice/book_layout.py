"""How one commune's book looks: header words, order of columns, title lines, sheet name, old font."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mortality.practice.legacy_encodings import ENCODERS
from mortality.practice.register import unaccented
from mortality.practice.vocabulary import header_texts
from tkyt_analysis.practice.world import NOTE

BIRTH_BY_SEX = ["birth_male", "birth_female"]
COLUMNS = {
    "tt27_2014": [
        "order", "full_name", *BIRTH_BY_SEX, "ethnic_group", "occupation", "address", "death_date",
        "place_of_death", "cause_text", "icd10", "maternal_death", "care_before_death", "note",
    ],
    "tt23_2025": [
        "order", "full_name", "birth", "sex", "id_number", "insurance_number", "ethnic_group", "occupation",
        "address", "death_date", "death_time", "place_of_death", "cause_text", "icd10", "maternal_death",
        "care_before_death", "source_list", "signed_by", "note",
    ],
}  # fmt: skip
COLUMNS["tt37_2019"] = COLUMNS["tt27_2014"]
FREE_ORDER = (["ethnic_group", "occupation", "address"], ["place_of_death", "cause_text", "icd10"])
ONE_BIRTH_COLUMN = 0.4  # share of TT 37 books with sex and birth in columns of their own
REORDERED = 0.35
OLD_FONT = 0.02  # share of books in TCVN3 or VNI; the same share again in NFD
WRONG_NAME = 0.02  # E3: share of books whose commune name is misspelt
SEX_WORDS = ({"male": "Nam", "female": "Nữ"}, {"male": "nam", "female": "nữ"}, {"male": "M", "female": "F"})


@dataclass(frozen=True)
class BookLayout:
    """The look of one book; texts are already in the book's own encoding.

    titles : lines above the header (place_line is the one with the commune's name)
    columns : what stands in each column; headers : its header words; encode : text -> text as stored
    """

    vintage: str
    sheet: str
    guide_sheet: str
    titles: list[str]
    place_line: int
    columns: list[str]
    headers: dict[str, str]
    number_style: str
    total_line: str
    sign_line: str
    sex_words: dict[str, str]
    encoding: str
    encode: Callable[[str], str]
    shown_place: str
    true_place: str


def draw_layout(
    rng: np.random.Generator, vintage: str, place: str, parents: list[str], year: int, *, force: str = ""
) -> BookLayout:
    """A look for the book of a commune (`place`: "Xã Bình Minh"); `force` sets the encoding in tests."""
    encoding = force or str(
        rng.choice(["", "TCVN3", "VNI", "NFD"], p=[1 - 2 * OLD_FONT, OLD_FONT / 2, OLD_FONT / 2, OLD_FONT])
    )
    encode = ENCODERS.get(encoding, _same)

    def text(item: str, **values: object) -> str:
        options, share = header_texts(item, vintage)
        return str(options[rng.choice(len(options), p=share)]).format(**values)

    columns = _columns(rng, vintage)
    shown = _misspelt(rng, place) if rng.random() < WRONG_NAME else place
    titles, place_line = _titles(rng, text, shown, parents, year)
    headers = {name: encode(text(name)) for name in [*columns, "birth_group"]}
    return BookLayout(
        vintage=vintage,
        sheet=_plain(text("sheet", year=year)) if encoding else text("sheet", year=year),
        guide_sheet=text("guide_sheet") if rng.random() < 0.1 else "",
        titles=[line if line == NOTE else encode(line) for line in titles],
        place_line=place_line,
        columns=columns,
        headers=headers,
        number_style=("{}", "({})")[int(rng.random() < 0.3)],
        total_line=text("total_line", count="{count}") if rng.random() < 0.15 else "",
        sign_line=text("sign_line") if rng.random() < 0.3 else "",
        sex_words=SEX_WORDS[int(rng.choice(3, p=(0.75, 0.2, 0.05)))],
        encoding=encoding,
        encode=encode,
        shown_place=shown,
        true_place=place,
    )


def _same(text: str) -> str:
    return text


def _plain(text: str) -> str:
    return unaccented(text)


def _columns(rng: np.random.Generator, vintage: str) -> list[str]:
    columns = list(COLUMNS[vintage])
    if vintage == "tt37_2019" and rng.random() < ONE_BIRTH_COLUMN:
        columns[2:4] = ["birth", "sex"]
    if rng.random() < REORDERED:
        for group in FREE_ORDER:
            start = min(columns.index(name) for name in group)
            rest = [name for name in columns if name not in group]
            columns = rest[:start] + [group[i] for i in rng.permutation(len(group))] + rest[start:]
    return columns


def _titles(
    rng: np.random.Generator, text: Callable, shown: str, parents: list[str], year: int
) -> tuple[list[str], int]:
    station = text("station", place=shown.upper() if rng.random() < 0.5 and shown == shown.strip() else shown)
    above = [parent.upper() if rng.random() < 0.5 else parent for parent in parents]
    lines = [*above, station, text("form_code"), "", text("title"), text("year_line", year=year), NOTE]
    if rng.random() < 0.5:
        lines.remove("")
    if rng.random() < 0.3:
        lines.append(text("guide"))
    return lines, len(above)


def _misspelt(rng: np.random.Generator, place: str) -> str:
    """E3: no diacritics, a space too many, or the type of unit shortened."""
    kinds = [
        unaccented(place),
        f"{place} ",
        place.replace(" ", "  "),
        place.replace("Xã ", "X. ").replace("Phường ", "P. "),
    ]
    different = [kind for kind in kinds if kind != place]
    return different[rng.integers(len(different))]
