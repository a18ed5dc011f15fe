"""The words of a death register brought to one form, so that spellings of one word meet.

`accented_key` keeps the Vietnamese marks; `folded_key` drops them (for text typed without marks).
The text as written is never changed: keys are only for looking up.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from tkyt_analysis.catalog import read_codelist

_OUTER_TONE = {"oà": "òa", "oá": "óa", "oả": "ỏa", "oã": "õa", "oạ": "ọa", "oè": "òe", "oé": "óe", "oẻ": "ỏe"}
_OUTER_TONE |= {"oẽ": "õe", "oẹ": "ọe", "uỳ": "ùy", "uý": "úy", "uỷ": "ủy", "uỹ": "ũy", "uỵ": "ụy"}
_TONE_AT_END = re.compile(r"(?<!q)(" + "|".join(_OUTER_TONE) + r")\b")
_Y_TO_I = str.maketrans("yỳýỷỹỵ", "iìíỉĩị")
_SINGLE_Y = re.compile(r"\b((?:[bcdghklmnpqrstvx]|th|ch|qu|tr|nh)+)([yỳýỷỹỵ])\b")
_NOT_A_WORD = re.compile(r"[^\w\s]+")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True)
class TextWords:
    """The rows of the code list cause_text_words, by kind; longest phrases first."""

    abbreviations: dict[str, str]
    noise_start: tuple[str, ...]
    noise_end: tuple[str, ...]
    due_to: tuple[str, ...]
    leads_to: tuple[str, ...]
    listed: tuple[str, ...]


@cache
def text_words() -> TextWords:
    """Abbreviations, noise and joining words from data_catalog/codelists/cause_text_words.csv."""
    rows = read_codelist("cause_text_words")
    by_kind = {kind: tuple(sorted(group["written"], key=len, reverse=True)) for kind, group in rows.groupby("kind")}
    short = rows[rows["kind"] == "abbreviation"]
    return TextWords(
        abbreviations={
            accented_letters(written): accented_letters(meaning)
            for written, meaning in zip(short["written"], short["meaning"])
        },
        **{kind: by_kind.get(kind, ()) for kind in ("noise_start", "noise_end", "due_to", "leads_to", "listed")},
    )


def fold(text: str) -> str:
    """The text without diacritics, đ as d: "Đột quỵ" → "Dot quy"."""
    bare = "".join(mark for mark in unicodedata.normalize("NFD", text) if not unicodedata.combining(mark))
    return unicodedata.normalize("NFC", bare.replace("đ", "d").replace("Đ", "D"))


def has_accents(text: str) -> bool:
    """True where the text carries any Vietnamese mark, so that its marks mean something."""
    composed = unicodedata.normalize("NFC", text)
    return fold(composed) != composed


def accented_letters(text: str) -> str:
    """NFC, lower case, tone on the older place (hoà → hòa), single y as i (quỵ → quị), one blank between words."""
    lower = _BLANKS.sub(" ", unicodedata.normalize("NFC", text).lower()).strip()
    placed = _TONE_AT_END.sub(lambda match: _OUTER_TONE[match.group(1)], lower)
    return _SINGLE_Y.sub(lambda match: match.group(1) + match.group(2).translate(_Y_TO_I), placed)


@cache
def _abbreviation_pattern(folded: bool) -> tuple[re.Pattern[str], dict[str, str]]:
    """One pattern over all abbreviations; in folded text the letters lose their marks as well."""
    pairs = text_words().abbreviations
    if folded:
        pairs = {fold(written): fold(meaning) for written, meaning in pairs.items()}
    longest_first = sorted(pairs, key=len, reverse=True)
    return re.compile(r"\b(" + "|".join(map(re.escape, longest_first)) + r")\b"), pairs


def expand_abbreviations(text: str, *, folded: bool = False) -> str:
    """Whole words of the abbreviation list written out: "k gan" → "ung thư gan"."""
    pattern, meanings = _abbreviation_pattern(folded)
    return pattern.sub(lambda match: meanings[match.group(1)], text)


def accented_key(text: str) -> str:
    """The look-up form with marks: letters unified, abbreviations written out, punctuation dropped."""
    words = _BLANKS.sub(" ", _NOT_A_WORD.sub(" ", accented_letters(text).replace("_", " "))).strip()
    return expand_abbreviations(words)


def folded_key(text: str) -> str:
    """The look-up form without marks; "Tiểu Đường" and "tieu duong" meet here."""
    return expand_abbreviations(fold(accented_key(text)), folded=True)


@cache
def _noise_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    def phrases(words: tuple[str, ...]) -> str:
        both = sorted({accented_letters(word) for word in words} | {fold(word) for word in words}, key=len)
        return "|".join(re.escape(word) for word in reversed(both))

    words = text_words()
    return re.compile(rf"^(?:{phrases(words.noise_start)})\s+"), re.compile(rf"\s+(?:{phrases(words.noise_end)})$")


def noise_steps(key: str) -> list[str]:
    """The key with noise words taken off one at a time, start before end: each step is one try."""
    start, end = _noise_patterns()
    steps = []
    while key:
        shorter = start.sub("", key, count=1)
        if shorter == key:
            shorter = end.sub("", key, count=1)
        if shorter == key:
            break
        steps.append(shorter)
        key = shorter
    return steps


@cache
def _joint_pattern() -> tuple[re.Pattern[str], dict[str, str]]:
    words = text_words()
    kinds: dict[str, str] = {}
    for kind in ("due_to", "leads_to", "listed"):
        for word in getattr(words, kind):
            kinds[accented_letters(word)] = kind
            kinds.setdefault(fold(accented_letters(word)), kind)
    ordered = sorted(kinds, key=len, reverse=True)
    letters = [re.escape(word) for word in ordered if word[0].isalpha()]
    signs = [re.escape(word) for word in ordered if not word[0].isalpha()]
    return re.compile(rf"\s+({'|'.join(letters)})\s+|\s*({'|'.join(signs)})\s*"), kinds


def split_causes(text: str) -> list[tuple[str, str]]:
    """The single causes of a text, the one that started it all first.

    Returns (cause, relation) with relation "single", "due_to" (the cause the others are due to),
    "leads_to", or "listed". "do" (due to) is a line break of Part I of the certificate:
    "suy tim do tăng huyết áp" → tăng huyết áp, then suy tim.
    """
    pattern, kinds = _joint_pattern()
    pieces = pattern.split(accented_letters(text))
    causes, joints = pieces[0::3], [word or sign for word, sign in zip(pieces[1::3], pieces[2::3])]
    if not joints:
        return [(causes[0], "single")]
    line = [(causes[0], "listed")]
    for joint, cause in zip(joints, causes[1:]):
        kind = kinds[joint]
        line = [(cause, kind), *line] if kind == "due_to" else [*line, (cause, kind)]
    return [(cause, relation) for cause, relation in line if cause.strip()]
