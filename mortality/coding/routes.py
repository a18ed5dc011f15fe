"""The ways from words to codes: each route yields findings, none knows of the others.

exact → folded → standard → without noise → repaired spelling → sound → inside a longer text → put together
(compose, transport) → likeness.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from mortality.coding.compose import FILLING, compose
from mortality.coding.dictionary import DictionaryEntry
from mortality.coding.letters import accented_letters, fold_word, has_accents
from mortality.coding.library import Library
from mortality.coding.normalise import (
    accented_key,
    accented_words,
    folded_key,
    noise_steps,
    standard_words,
    without_facts,
    years_as_many,
)
from mortality.coding.spelling import likeness, marks_that_differ, other_marks, sound_key
from mortality.coding.transport import transport_code
from mortality.coding.words import Words, key_words

_YEARS_AGO = re.compile(
    r"\b(?:nhiều|mấy|vài|lâu|\d+|nhieu|may|vai|lau)\s+(?:năm|nam)\b|\b(?:cũ|di chứng|hậu quả|cu|di chung|hau qua)\b"
)
STROKE_SEQUELA = {"I60": "I69.0", "I61": "I69.1", "I62": "I69.2", "I63": "I69.3", "I64": "I69.4"}
NEWBORN_BELOW = 28 / 365.25
NEAR_FROM = 0.8
LONGEST_NEAR = 12  # words; a longer text is no misspelt expression of the dictionary
WITHOUT_MARKS = 0.93  # a short concept may be another word: "da" is skin (da) or many (đa)
SOUNDS_ALIKE = 0.5  # letters that differ weigh half where the words sound the same


@dataclass(frozen=True)
class Person:
    """What is known of the dead: sex male | female | None, age [years], maternal status."""

    sex: str | None = None
    age_years: float | None = None
    maternal: str = ""

    @property
    def newborn(self) -> bool:
        return self.age_years is not None and self.age_years < NEWBORN_BELOW


@dataclass(frozen=True)
class Finding:
    """One code by one route: likeness 0–1 of the words to what was found, unread share of the words;
    distance: noise words dropped, place or rank of the reading, causes named, or (titles) number of words;
    missing: share of the words that what was found by likeness lacks, surplus: share of its words that the text lacks;
    passed_over: whether it lacks, or adds, words that may change the code (malignant, sequela, chronic …)."""

    code: str
    route: str
    expression: str
    certainty: str
    likeness: float = 1.0
    unread: float = 0.0
    context: bool = False
    distance: int = 0
    learnt: bool = False
    missing: float = 0.0
    surplus: float = 0.0
    passed_over: bool = False


def _of_entries(
    entries: Iterable[DictionaryEntry], route: str, person: Person, words: Words, **more: float
) -> Iterator[Finding]:
    for entry in entries:
        if entry.applies(person.sex, person.age_years) and not (entry.learnt and person.maternal):
            marks = marks_that_differ(words, accented_words(entry.expression)) if words else 0.0
            like = float(more.get("likeness", 1.0)) * (1 - marks)
            yield Finding(
                entry.code,
                route,
                entry.expression,
                entry.certainty,
                round(like, 4),
                round(float(more.get("unread", 0.0)), 4),
                entry.has_context,
                int(more.get("distance", 0)),
                entry.learnt,
            )


def by_dictionary(text: str, library: Library, person: Person) -> list[Finding]:
    """Entries of the first form that is known: as written, without marks, in standard words, without noise."""
    for source in dict.fromkeys((text, years_as_many(text), without_facts(text))):
        found = _by_forms(source, library, person)
        if found:
            return found
    return []


def _forms(text: str, library: Library) -> list[tuple[str, str, dict[str, tuple[DictionaryEntry, ...]]]]:
    dictionary = library.dictionary
    plain = " ".join(map(fold_word, key_words(text)))
    forms = [
        ("exact", accented_key(text), dictionary.by_accented),
        ("folded", folded_key(text), dictionary.by_folded),
        ("standard", " ".join(map(fold_word, standard_words(text))), library.by_standard),
    ]
    return forms if has_accents(text) else [*forms, ("folded", plain, dictionary.by_folded)]


def _by_forms(text: str, library: Library, person: Person) -> list[Finding]:
    forms = _forms(text, library)
    for route, key, index in forms:
        words = accented_words(text) if route == "folded" else ()
        found = list(_of_entries(index.get(key, ()), route, person, words))
        if found:
            return _ambiguous(found) if route != "exact" and not has_accents(text) else found
    best: tuple[int, list[Finding]] | None = None
    for _, key, index in forms:
        for step, shorter in enumerate(noise_steps(key), 1):
            if shorter in index and (best is None or step < best[0]):
                best = (step, list(_of_entries(index[shorter], "without_noise", person, (), distance=step)))
                break
    return _late_effects(text, best[1]) if best else []


def _late_effects(text: str, found: list[Finding]) -> list[Finding]:
    """A stroke of years ago is coded to its sequelae: the years are no noise there."""
    if not _YEARS_AGO.search(accented_letters(text)):
        return found
    return [replace(one, code=STROKE_SEQUELA.get(one.code[:3], one.code)) for one in found]


def _ambiguous(found: list[Finding]) -> list[Finding]:
    """Text without marks that means different things ("benh than": bệnh than, bệnh thận) is as vague as vague words."""
    meanings = {(accented_key(one.expression), one.code[:3]) for one in found}
    if len({text for text, _ in meanings}) > 1 and len({code for _, code in meanings}) > 1:
        return [replace(one, certainty="vague") for one in found]
    return found


def by_spelling(words: Words, repaired: Words, library: Library, person: Person) -> list[Finding]:
    """Entries that are reached by repairing unknown words, or that sound the same."""
    found: list[Finding] = []
    for form in dict.fromkeys((words, tuple(noise_steps(" ".join(words))[-1:]) or words)):
        letters = "".join(map(fold_word, form)).replace(" ", "")
        found += _of_entries(library.by_letters.get(letters, ()), "repaired", person, (), likeness=0.97)
    if repaired != words:
        key = " ".join(map(fold_word, repaired))
        for step, shorter in enumerate([key, *noise_steps(key)]):
            if shorter in library.by_standard:
                like = 1 - SOUNDS_ALIKE * (1 - likeness(words, repaired))
                found += _of_entries(library.by_standard[shorter], "repaired", person, (), likeness=like, distance=step)
                break
    for step, shorter in enumerate(["", *noise_steps(" ".join(words))]):
        key = sound_key(shorter.split() or words)
        if key in library.by_sound:
            for entry in library.by_sound[key]:
                like = likeness(words if not step else shorter.split(), standard_words(entry.expression))
                like = 1 - SOUNDS_ALIKE * (1 - like)
                found += _of_entries([entry], "sound", person, (), likeness=like, distance=step)
            break
    return found


def by_parts_inside(words: Words, library: Library, person: Person) -> list[Finding]:
    """Expressions of the dictionary inside a longer text; the share of the words they leave unread is kept."""
    folded = tuple(map(fold_word, words))
    content = [word for word in folded if word not in FILLING]
    found: list[Finding] = []
    marks_written = has_accents(" ".join(words))
    for key, place in library.inside(folded):
        size = len([word for word in key.split() if word not in FILLING])
        unread = 1 - size / max(1, len(content))
        if size and key != " ".join(folded):  # the whole is the look-up's to find
            marked = tuple(words[place : place + len(key.split())])
            for entry in library.by_standard[key]:
                like = 1 - marks_that_differ(marked, standard_words(entry.expression))
                like *= 1.0 if marks_written else WITHOUT_MARKS
                found += _of_entries([entry], "inside", person, (), unread=unread, likeness=like, distance=place)
    return found


def by_composition(words: Words, person: Person) -> list[Finding]:
    """Codes put together from the words; a newborn's words count as "sơ sinh"."""
    found = []
    transport = transport_code(words)
    if transport:
        found.append(Finding(transport[0], "transport", transport[1], "likely"))
    more = (*words, "sơ", "sinh") if person.newborn and has_accents(" ".join(words)) else words
    more = (*more, "so", "sinh") if person.newborn and more == words else more
    like = 1.0 if has_accents(" ".join(words)) else WITHOUT_MARKS
    for rank, reading in enumerate(compose(more)):
        route = "composed" if reading.concepts > 1 else "process"
        found.append(
            Finding(
                reading.code,
                route,
                reading.expression,
                reading.certainty,
                like,
                unread=min(1.0, reading.unread),
                distance=rank,
            )
        )
    return found


def by_likeness(words: Words, library: Library, person: Person, *, top: int = 12) -> list[Finding]:
    """The likest expressions and titles; a dictionary expression with few wrong letters is "near"."""
    found: list[Finding] = []
    for number, like in library.index.search(words, top=top):
        document = library.documents[number]
        like *= 1 - other_marks(words, document.words)
        missing, surplus = _not_shared(words, document.words), _not_shared(document.words, words)
        if not document.entries:
            found.append(
                Finding(
                    document.code,
                    "like_title",
                    document.text,
                    "likely",
                    round(like, 4),
                    distance=len(words),
                    missing=missing,
                    surplus=surplus,
                )
            )
            continue
        letters = likeness(words, document.words) if like > 0.35 and len(words) <= LONGEST_NEAR else 0.0
        route, value = ("near", letters) if letters >= NEAR_FROM else ("like_lay", like)
        alike = _of_entries(document.entries, route, person, (), likeness=value)
        found += [replace(one, missing=missing, surplus=surplus) for one in alike]
    return found


@lru_cache(maxsize=60_000)
def _folded(words: Words) -> frozenset[str]:
    return frozenset(map(fold_word, words))


def _not_shared(words: Words, others: Words) -> float:
    """Share of the words with content that do not stand among the others, marks aside."""
    content = _folded(words) - FILLING
    return round(len(content - _folded(others)) / max(1, len(content)), 3)
