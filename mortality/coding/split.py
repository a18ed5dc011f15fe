"""A text of several causes taken apart, with how they stand to each other."""

from __future__ import annotations

import re
from functools import cache

from mortality.coding.letters import accented_letters, fold
from mortality.coding.words import JOINTS, text_words

_NUMBERED = re.compile(r"(?:^|\s)[1-9]\s*[.)]\s+|(?:^|\s)[1-9]\s*/\s+")
_SPREAD_FROM = re.compile(
    r"[^,;+/.]*\bdi\s+c(ă|a)n\s+t(?:ừ|u)\s+(?:(?:ung thư|ung thu|ut|u|k|ca|bướu|buou)\s+)?(?:ở\s+|o\s+)?([^,;+/.]+)"
)
_KEPT_BLANK = "\ue000"  # no white space, and no letter of any text


@cache
def _kept_pattern() -> re.Pattern[str] | None:
    """Phrases that hold a joining word and are one thing: "sau đẻ", "không do"."""
    kept = {accented_letters(phrase) for phrase in text_words().of("keep")}
    both = sorted(kept | {fold(phrase) for phrase in kept}, key=len, reverse=True)
    return re.compile(r"\b(" + "|".join(map(re.escape, both)) + r")\b") if both else None


@cache
def _joint_pattern() -> tuple[re.Pattern[str], dict[str, str]]:
    words = text_words()
    kinds: dict[str, str] = {}
    for kind in JOINTS:
        for word in words.of(kind):
            kinds[accented_letters(word)] = kind
            kinds.setdefault(fold(accented_letters(word)), kind)
    ordered = sorted(kinds, key=len, reverse=True)
    letters = [re.escape(word) for word in ordered if word[0].isalpha()]
    signs = [re.escape(word) for word in ordered if not word[0].isalpha()]
    return re.compile(rf"[\s,;]+({'|'.join(letters)})\s+|\s*({'|'.join(signs)})\s*|\s(-|–)\s"), kinds


def _protect(letters: str) -> str:
    kept = _kept_pattern()
    if kept is None:
        return letters
    return kept.sub(lambda match: match.group(1).replace(" ", _KEPT_BLANK), letters)


def began_where_it_spread_from(text: str) -> str:
    """A cancer that spread "from" a place began there: "K gan di căn từ đại tràng" → "ung thư đại tràng di căn"."""
    letters = accented_letters(text)

    def turned(match: re.Match[str]) -> str:
        cancer, spread = ("ung thư", "di căn") if match.group(1) == "ă" else ("ung thu", "di can")
        return f"{cancer} {match.group(2).strip()} {spread}"

    found = _SPREAD_FROM.sub(turned, letters)
    return text if found == letters else found


def _pieces(text: str) -> tuple[list[str], list[str]]:
    """The causes as written from left to right, and the kind of joint before each but the first."""
    pattern, kinds = _joint_pattern()
    letters = _protect(_NUMBERED.sub(" ; ", accented_letters(text)).strip(" ;,"))
    pieces = [piece.replace(_KEPT_BLANK, " ") if piece else piece for piece in pattern.split(letters)]
    joints = [word or sign or dash for word, sign, dash in zip(pieces[1::4], pieces[2::4], pieces[3::4])]
    return pieces[0::4], [kinds.get(joint, "listed") for joint in joints]


def split_causes(text: str) -> list[tuple[str, str]]:
    """The single causes of a text, the one that started it all first.

    Returns (cause, relation) with relation "single", "due_to" (the cause the others are due to),
    "leads_to", or "listed". "do" (due to) is a line break of Part I of the certificate:
    "suy tim do tăng huyết áp" → tăng huyết áp, then suy tim.
    """
    causes, kinds = _pieces(text)
    if not kinds:
        return [(causes[0], "single")]
    line = [(causes[0], "listed")]
    for kind, cause in zip(kinds, causes[1:]):
        line = [(cause, kind), *line] if kind == "due_to" else [*line, (cause, kind)]
    return [(cause, relation) for cause, relation in line if cause.strip()]


def split_lines(text: str) -> list[list[str]]:
    """The causes on the lines of Part I that the joining words make, line a first.

    "viêm phổi, suy tim do tăng huyết áp" → [["viêm phổi", "suy tim"], ["tăng huyết áp"]].
    """
    causes, kinds = _pieces(text)
    lines, at = [[causes[0]]], 0
    for kind, cause in zip(kinds, causes[1:]):
        if kind == "listed":
            lines[at].append(cause)
        elif kind == "due_to":
            at += 1
            lines.insert(at, [cause])
        else:
            lines.insert(at, [cause])
    named = [[cause.strip() for cause in line if cause.strip()] for line in lines]
    return [line for line in named if line]
