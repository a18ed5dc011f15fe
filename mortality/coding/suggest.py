"""Words on the register → candidate codes with calibrated scores: the routes are asked, their findings ranked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mortality.coding.calibrate import shares
from mortality.coding.compose import FILLING
from mortality.coding.decide import code_deaths, decide
from mortality.coding.letters import fold_word, has_accents
from mortality.coding.library import Library, load_library
from mortality.coding.normalise import accented_words, noise_steps, standard_words, without_facts
from mortality.coding.ranking import Ranked, rank, sex_conflict
from mortality.coding.routes import (
    Finding,
    Person,
    by_composition,
    by_dictionary,
    by_likeness,
    by_parts_inside,
    by_spelling,
)
from mortality.coding.several import by_causes
from mortality.coding.split import began_where_it_spread_from, split_lines
from mortality.coding.words import Words, changing_words
from mortality.coding.written import code_written, lowest_of, person_of_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Candidate", "code_deaths", "decide", "ranked_candidates", "sex_conflict", "suggest_codes"]

SEXES = {
    "m": "male", "nam": "male", "male": "male", "1": "male",
    "f": "female", "nữ": "female", "nu": "female", "female": "female", "2": "female",
}  # fmt: skip
RULES = {
    "coded": "code_in_text",
    "exact": "dictionary_exact",
    "folded": "dictionary_folded",
    "standard": "dictionary_standard",
    "without_noise": "dictionary_without_noise",
    "repaired": "spelling_repaired",
    "sound": "spelling_sound",
    "near": "spelling_near",
    "composed": "composed",
    "process": "composed_process_only",
    "transport": "composed_transport",
    "inside": "part_of_text",
    "several": "several_causes",
    "like_lay": "similar_expression",
    "like_title": "similar_title",
}
LEARNT_WHOLE = {"exact": "learnt", "standard": "learnt", "folded": "learnt_folded"}
ALIKE = ("near", "like_lay", "like_title")
LEAVING_OUT = ("without_noise", "repaired", "sound", "near", "inside", "like_lay", "like_title")
LIKE_THE_WHOLE = ("like_title", "like_lay", "composed")
THE_WHOLE = 0.8  # so like a title of several parts ("bệnh thận do tăng huyết áp") that it is the title
ONE_OF_SEVERAL, PART_UNREAD = 0.8, 0.35
LONGEST_TEXT = 400
CERTAIN_ROUTES = ("exact", "standard", "folded", "coded")


@dataclass(frozen=True)
class Candidate:
    """One code that the text may stand for.

    score : for the first candidate the probability that its three characters are right; rule : the route that
    found it; expression : the words it was found by; certainty : sure | likely | vague.
    """

    code: str
    score: float
    rule: str
    expression: str
    certainty: str = "likely"


def _person(sex: object, age_years: float | None, maternal: str | None) -> Person:
    known = SEXES.get(str(sex).strip().lower()) if sex is not None else None
    return Person(known, None if age_years is None or age_years != age_years else float(age_years), maternal or "")


def _content(text: str) -> Words:
    """The standard words without facts and without noise."""
    words = standard_words(without_facts(text)) or standard_words(text)
    steps = noise_steps(" ".join(words))
    return tuple(steps[-1].split()) if steps else words


def _repaired(text: str, words: Words, library: Library) -> Words:
    """The standard words after unknown spellings were repaired; synonyms are sought again in what came out."""
    written = accented_words(without_facts(text))
    repaired = library.vocabulary.repair(written)
    return words if repaired == written else standard_words(" ".join(repaired))


def _single(text: str, library: Library, person: Person) -> list[Finding]:
    """One cause by every route, and by the code that is written beside it."""
    code, rest = code_written(text)
    return _by_code(code, rest, library, person) if code else _of_words(text, library, person)


def _by_code(code: str, rest: str, library: Library, person: Person) -> list[Finding]:
    """The written code first; where the words say another category it is for a coder to decide."""
    found = _of_words(rest, library, person) if any(sign.isalpha() for sign in rest) else []
    ranked = rank(found, person)
    agree = bool(ranked) and ranked[0].code[:3] == code[:3]
    certainty = "vague" if ranked and not agree else "sure"
    code = lowest_of(code, [one.code for one in ranked])
    if certainty == "vague":
        found = [replace(one, certainty="vague") for one in found]
    return [Finding(code, "coded", rest or code, certainty, context=True), *found]


def _of_words(text: str, library: Library, person: Person) -> list[Finding]:
    """One cause in words by every route."""
    findings = by_dictionary(text, library, person)
    words, content = standard_words(without_facts(text)), _content(text)
    if not any(one.route in CERTAIN_ROUTES for one in findings):
        repaired = _repaired(text, words, library)
        findings += by_spelling(words, repaired, library, person) + by_parts_inside(repaired, library, person)
        findings += by_composition(repaired, person)
        content = _content(" ".join(repaired))
    return findings + by_likeness(content, library, person)


def all_findings(text: str, library: Library, person: Person) -> list[Finding]:
    """What every route finds for the text, as one cause and, where it names several, as several."""
    text = text[:LONGEST_TEXT]
    person = person_of_text(text, person)
    several = sum(map(len, split_lines(text))) > 1
    alone = (_of_words if several else _single)(text, library, person)
    if any(one.route in CERTAIN_ROUTES for one in alone):
        return alone
    turned = began_where_it_spread_from(text)
    if turned != text:
        text, alone = turned, _of_words(turned, library, person)
    causes = by_causes(text, person, lambda part: rank(_single(part, library, person), person))
    return [*causes, *_less_of_one_cause(alone, causes)]


def _less_of_one_cause(alone: list[Finding], causes: list[Finding]) -> list[Finding]:
    """Where a text names several causes, what is like the whole of it mostly is one of them: it counts less, and as a part
    where it is the code of one of them that was not selected."""
    selected = {one.code for one in causes if one.route == "several"}
    if not selected:
        return alone
    parts = {one.code for one in causes} - selected
    return [_less(one, one.code in parts) if one.route in LIKE_THE_WHOLE else one for one in alone]


def _less(finding: Finding, is_part: bool) -> Finding:
    if finding.likeness >= THE_WHOLE and finding.route != "composed":
        return finding
    if is_part:
        return replace(finding, unread=max(finding.unread, PART_UNREAD))
    return replace(finding, likeness=finding.likeness * ONE_OF_SEVERAL)


def ranked_candidates(text: str, library: Library, person: Person) -> list[Ranked]:
    """All candidates in order, with the finding behind each: what `suggest_codes` scores."""
    ranked = rank(all_findings(text, library, person), person_of_text(text, person))
    if ranked and passes_over(text, ranked[0].finding):
        ranked[0] = replace(ranked[0], finding=replace(ranked[0].finding, passed_over=True))
    return ranked


def passes_over(text: str, finding: Finding) -> bool:
    """Whether what was found leaves something of the text out, or adds to it, that may change the code.

    Likeness: any word with content; other routes that leave out: the words that change codes; composition: anything unread.
    """
    if finding.route in ("composed", "process"):
        return finding.unread > 0
    if finding.route not in LEAVING_OUT:
        return False
    words, found = standard_words(without_facts(text)), standard_words(finding.expression)
    if finding.route in ALIKE:
        content = {fold_word(word) for word in _content(text)}
        other = set(map(fold_word, found))
        if (content - other - FILLING) or (other - set(map(fold_word, words)) - FILLING):
            return True
    folded = not (has_accents(text) and has_accents(finding.expression))
    if folded:
        words, found = tuple(map(fold_word, words)), tuple(map(fold_word, found))
    said, kept = (changing_words(folded).found(one) for one in (words, found))
    return bool(said ^ kept)


def suggest_codes(
    text: str,
    *,
    limit: int = 5,
    sex: str | None = None,
    age_years: float | None = None,
    maternal: str | None = None,
    titles: Path | None = None,
    learnt: pd.DataFrame | None = None,
) -> list[Candidate]:
    """The codes that a register's words may stand for, best first, at most `limit`.

    Parameters
    ----------
    text : the words as written, with or without diacritics
    sex : "male" or "female" (also nam/nữ, M/F, 1/2); age_years : completed years or a fraction; None if unknown
    maternal : pregnant | within_42_days | 43_days_to_1_year, as on the certificate; None if unknown
    titles : a CSV (code, title_vi) to search instead of the registry's titles
    learnt : entries that coders confirmed (`mortality.coder.entries.learnt_entries`); their rule is "learnt"

    Returns an empty list where the text is empty or nothing is like it: a coder reads those.
    """
    return candidates(text, load_library(titles, learnt=learnt), _person(sex, age_years, maternal), limit)


def candidates(text: str, library: Library, person: Person, limit: int) -> list[Candidate]:
    """`suggest_codes` with a library at hand."""
    if not isinstance(text, str) or not any(sign.isalnum() for sign in text):
        return []
    ranked = ranked_candidates(text, library, person)[:limit]
    return [
        Candidate(one.code, score, rule_of(one.finding), one.finding.expression, one.finding.certainty)
        for one, score in zip(ranked, shares(ranked) if ranked else [])
    ]


def rule_of(finding: Finding) -> str:
    """The name of the rule on record; "learnt" where coders confirmed the whole words, "learnt:…" where a part of them."""
    rule = RULES[finding.route]
    if finding.learnt:
        return LEARNT_WHOLE.get(finding.route, f"learnt:{rule}")
    return rule + ("_context" if finding.context and finding.route != "coded" else "")
