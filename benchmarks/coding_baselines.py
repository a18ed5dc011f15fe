"""What one would pick without this engine: exact match, difflib, one TF-IDF over words, rapidfuzz where installed."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import pandas as pd

from benchmarks.coding_sets import Case
from mortality.coding.dictionary import load_dictionary
from mortality.coding.library import titles
from mortality.coding.retrieve import Field


def _texts() -> tuple[list[str], list[str]]:
    """Expressions of the dictionary and titles, lower case, with their codes."""
    entries = [entry for group in load_dictionary().by_accented.values() for entry in group]
    pairs = [(entry.expression.lower(), entry.code) for entry in entries] + [
        (t.lower(), c) for c, t in titles().items()
    ]
    return [text for text, _ in pairs], [code for _, code in pairs]


def _exact(texts: list[str], codes: list[str]) -> Callable[[str], str]:
    known = dict(zip(reversed(texts), reversed(codes)))
    return lambda text: known.get(text.lower(), "")


def _difflib(texts: list[str], codes: list[str]) -> Callable[[str], str]:
    known = dict(zip(reversed(texts), reversed(codes)))

    def find(text: str) -> str:
        near = difflib.get_close_matches(text.lower(), list(known), n=1, cutoff=0.0)
        return known[near[0]] if near else ""

    return find


def _tfidf(texts: list[str], codes: list[str]) -> Callable[[str], str]:
    field = Field.build([text.split() for text in texts], "marked")

    def find(text: str) -> str:
        scores = field.scores(text.lower().split(), "marked", len(texts))
        return "" if scores is None else codes[int(scores.argmax())]

    return find


def _rapidfuzz(texts: list[str], codes: list[str]) -> Callable[[str], str] | None:
    try:
        from rapidfuzz import fuzz, process  # type: ignore[import-not-found]
    except ImportError:
        return None

    def find(text: str) -> str:
        return codes[process.extractOne(text.lower(), texts, scorer=fuzz.token_sort_ratio)[2]]

    return find


def baselines(named: dict[str, list[Case]], most: int = 100) -> pd.DataFrame:
    """Top 1 at three characters of each way on the first `most` cases of each set (difflib is slow)."""
    texts, codes = _texts()
    ways = {
        "exact": _exact(texts, codes),
        "difflib": _difflib(texts, codes),
        "TF-IDF of words": _tfidf(texts, codes),
        "rapidfuzz token_sort": _rapidfuzz(texts, codes),
    }
    lines = []
    for name, cases in named.items():
        step = max(1, len(cases) // most)
        chosen = cases[::step][:most]
        line: dict[str, object] = {"set": name, "cases": len(chosen)}
        for way, find in ways.items():
            right = None if find is None else sum(find(case.text)[:3] in case.right for case in chosen)
            line[way] = "not installed" if right is None else round(100 * right / len(chosen), 1)
        lines.append(line)
    return pd.DataFrame(lines)
