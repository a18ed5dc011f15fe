"""Texts of several causes: each part is read by itself, then the underlying cause is selected by WHO's rules.

The joining words make the lines of Part I ("do" is a line break); `mortality.underlying_cause` selects. The
code it selects may be one that no part names: "ĐTĐ, suy thận mạn" is diabetes with renal complications.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

from mortality.coding.ranking import Ranked
from mortality.coding.routes import Finding, Person
from mortality.coding.split import split_lines

READABLE_FROM = 0.5
MOST_REORDERED = 3
EXTERNAL, SECONDARY = ("V", "W", "X", "Y"), ("C77", "C78", "C79")
_SEX = {"male": "M", "female": "F"}


@dataclass(frozen=True)
class Part:
    """One cause of the text with the candidate that reads it best."""

    text: str
    line: int
    best: Ranked


def _underlying(lines: list[list[str]], person: Person) -> str:
    """The underlying cause of the coded lines (line a first); the first code of the lowest line if rules give none.

    Where no external cause is named, an injury stays what the words say it is (S72.0); what stands for it is found later.
    """
    from mortality.underlying_cause import Certificate, select_underlying_cause
    from mortality.underlying_cause.profile import DEFAULT

    told = [*lines[:3], [code for line in lines[3:] for code in line]]
    row: dict[str, object] = {f"line_{letter}": " ".join(line) for letter, line in zip("abcd", told)}
    row |= {"sex": _SEX.get(person.sex or "", ""), "pregnancy": person.maternal}
    if person.age_years is not None:
        row |= {"age_value": person.age_years, "age_unit": "years"}
    certificate = Certificate.from_row(row)
    external = any(code[0] in "VWXY" for line in lines for code in line)
    rules = DEFAULT if external else DEFAULT.without("injuries")
    return select_underlying_cause(certificate, profile=rules).code or lines[-1][0]


def _selected(lines: list[list[str]], person: Person) -> str:
    """The underlying cause; causes listed side by side have no order, so a code that joins them is looked for in any.

    "suy thận mạn, ĐTĐ" and "ĐTĐ, suy thận mạn" are both diabetes with renal complications; of "COPD, K dạ dày" the
    malignant neoplasm is proposed. A coder looks at all of them.
    """
    code = _underlying(lines, person)
    named = {one for line in lines for one in line}
    if len(lines) == 1 and not code.startswith(EXTERNAL):
        code = next((one for one in lines[0] if one.startswith("C") and not one.startswith(SECONDARY)), code)
    if len(lines) > 1 or code not in named or len(lines[0]) > MOST_REORDERED:
        return code
    others = (_underlying([list(order)], person) for order in list(permutations(lines[0]))[1:])
    return next((other for other in others if other not in named), code)


def read_parts(text: str, read: Callable[[str], list[Ranked]]) -> tuple[list[Part], float]:
    """The readable parts of the text, and the share of its letters that no part read."""
    parts, letters, lost = [], 0, 0
    for number, line in enumerate(split_lines(text)):
        for cause in line:
            found = read(cause)
            letters += len(cause)
            if found and found[0].strength >= READABLE_FROM:
                parts.append(Part(cause, number, found[0]))
            else:
                lost += len(cause)
    return parts, lost / max(1, letters)


def by_causes(text: str, person: Person, read: Callable[[str], list[Ranked]]) -> list[Finding]:
    """The underlying cause of a text of several causes first, then the causes it names; [] for a single cause."""
    if sum(map(len, split_lines(text))) < 2:
        return []
    parts, unread = read_parts(text, read)
    if not parts:
        return []
    findings = [
        Finding(
            part.best.code,
            "inside",
            part.best.finding.expression,
            part.best.finding.certainty,
            likeness=min(1.0, part.best.strength) ** 0.5,
            unread=max(unread, 0.5 if len(parts) > 1 else unread),
            learnt=part.best.finding.learnt,
        )
        for part in parts
    ]
    if len(parts) == 1:
        return findings
    lines = [[part.best.code for part in parts if part.line == number] for number in sorted({p.line for p in parts})]
    code = _selected(lines, person)
    weakest = min(min(1.0, part.best.strength) for part in parts)
    vague = next((part.best.finding.certainty for part in parts if part.best.code == code), "likely")
    if len(lines) == 1 and code in {part.best.code for part in parts}:
        vague = "vague"  # side by side without a word that joins them: which came first is the family's to say
    words = " + ".join(part.best.finding.expression for part in parts)
    return [Finding(code, "several", words, vague, weakest**0.5, unread, distance=len(parts)), *findings]
