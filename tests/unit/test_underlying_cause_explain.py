"""The path to the underlying cause, told in sentences: every rule has words in both languages, and they name the codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mortality.underlying_cause
from mortality.underlying_cause import Certificate, Selection, Step, select_underlying_cause
from mortality.underlying_cause.explain import explain, flag_text
from tkyt_analysis.labels import all_labels

PACKAGE = Path(mortality.underlying_cause.__file__).parent
KEY = re.compile(r'"(ucod\.(?:sp|m)\d\.[a-z0-9_]+)"')
FLAG = re.compile(r'"((?:reject|profile):[a-z0-9_]+)"')


def written_in_the_package(pattern):
    return sorted({found for path in PACKAGE.glob("*.py") for found in pattern.findall(path.read_text("utf-8"))})


@pytest.mark.parametrize("key", written_in_the_package(KEY))
def test_every_step_of_the_engine_has_words(key):
    assert key in all_labels()


@pytest.mark.parametrize("flag", written_in_the_package(FLAG))
def test_every_flag_of_the_engine_has_words(flag):
    assert flag not in flag_text(flag, "vi")
    assert flag not in flag_text(flag, "en")


def test_the_lowest_line_explains_everything_above():
    said = explain(select_underlying_cause(Certificate(line_a=("J18.0",), line_b=("I63.9",))), "vi", titles=False)
    assert said == [
        "SP3: bệnh ghi đầu tiên trên dòng thấp nhất (b), I63.9, có thể gây ra tất cả các bệnh ghi ở trên: J18.0.",
        "Nguyên nhân gốc: I63.9",
    ]


def test_both_languages_tell_the_same_steps_in_the_same_order():
    selection = select_underlying_cause(
        Certificate(line_a=("J18.0",), line_b=("R54",), line_c=("R99",), part2=("I10", "I50.9"))
    )
    rules = [
        [sentence.split(":")[0] for sentence in explain(selection, language)][: len(selection.steps)]
        for language in ("vi", "en")
    ]
    assert rules[0] == rules[1] == [step.rule for step in selection.steps]


def test_each_code_gets_its_title_at_its_first_mention_and_in_the_result():
    certificate = Certificate(line_a=("J18.0",), line_b=("I63.9",))
    text = "\n".join(explain(select_underlying_cause(certificate), "en", certificate=certificate))
    assert text.count("Cerebral infarction") == 2
    assert text.endswith("Underlying cause: I63.9 (Cerebral infarction, unspecified)")
    assert text.startswith("Line a: J18.0 (Bronchopneumonia")


def test_a_certificate_without_a_usable_code_says_so():
    said = explain(select_underlying_cause(Certificate(line_a=("ZZZ",))), "vi")
    assert said[0] == "Không chọn được nguyên nhân gốc."
    assert any("người mã hoá" in sentence for sentence in said)


def test_a_step_without_words_still_names_the_code():
    step = Step("M4", "W19.9", ("ucod.m9.not_there", {}))
    assert explain(Selection("W19.9", (step,)), "en", titles=False)[0] == "M4: W19.9 holds."
