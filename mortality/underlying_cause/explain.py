"""The path to an underlying cause as sentences: which code on which line, which rule, why (`labels/underlying.yaml`)."""

from __future__ import annotations

import re

from mortality.underlying_cause.certificate import Certificate
from mortality.underlying_cause.steps import Selection, Step
from tkyt_analysis.labels import all_labels, current_language, label

_CODE = re.compile(r"\b[A-Z]\d\d(?:\.\d{1,2})?\b")
_LINES = ("a", "b", "c", "d")


def explain(
    selection: Selection, language: str | None = None, *, certificate: Certificate | None = None, titles: bool = True
) -> list[str]:
    """One sentence per step, "SP3: …", then the result and what a coder must look at.

    language : vi | en; None is the language in use
    certificate : its lines stand first where it is given
    titles : the short title of each code stands beside it, at its first mention and in the result
    """
    language = language or current_language()
    said = _certificate(certificate, language) if certificate else []
    said += [_sentence(step, language) for step in selection.steps]
    result = _result(selection, language)
    if titles:
        said, result = _with_titles(said, language), _with_titles(result, language)
    return said + result + [flag_text(flag, language) for flag in selection.flags]


def flag_text(flag: str, language: str | None = None) -> str:
    """What a flag such as "reject:no_code" says; the flag itself where it has no words yet."""
    key = f"ucod.flag.{flag.replace(':', '_')}"
    return label(key, language) if key in all_labels() else label("ucod.flag.other", language, flag=flag)


def _sentence(step: Step, language: str) -> str:
    key, fields = step.evidence
    if key not in all_labels():
        key, fields = "ucod.step.other", {"code": step.code}
    return f"{step.rule}: {label(key, language, **fields)}."


def _certificate(certificate: Certificate, language: str) -> list[str]:
    lines = [
        label("ucod.certificate.line", language, line=name, codes=", ".join(codes))
        for name, codes in zip(_LINES, certificate.lines, strict=True)
        if codes
    ]
    part2 = [label("ucod.certificate.part2", language, codes=", ".join(certificate.part2))] if certificate.part2 else []
    return lines + part2


def _result(selection: Selection, language: str) -> list[str]:
    if not selection.code:
        return [label("ucod.result.none", language)]
    injury = [label("ucod.main_injury", language, code=selection.main_injury)] if selection.main_injury else []
    return [label("ucod.result", language, code=selection.code), *injury]


def _with_titles(sentences: list[str], language: str) -> list[str]:
    """The same with the short title of each code behind its first mention."""
    known: set[str] = set()

    def named(found: re.Match[str]) -> str:
        code = found.group()
        if code in known:
            return code
        known.add(code)
        words = _title(code, language)
        return f"{code} ({words})" if words else code

    return [_CODE.sub(named, sentence) for sentence in sentences]


def _title(code: str, language: str) -> str:
    from mortality.icd import title

    return title(code, language)
