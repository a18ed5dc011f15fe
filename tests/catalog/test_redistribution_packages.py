"""Every mistake in a set of redistribution packages is one sentence with file and key."""

import pytest

from tkyt_analysis.catalog.loader import read_entry
from tkyt_analysis.labels import set_language

PACKAGES = """\
id: drawn
title:
  vi: "Gói"
  en: "Packages"
edition: WHO-2019
source: "Own"
valid:
  from: 2026-01-01
packages:
  heart:
    title:
      vi: "Suy tim"
      en: "Heart failure"
    sources: "I50;I51.4-I51.6"
    targets:
      - codes: "I20-I25"
        age_from: 15
    judgement: own
    literature: "Naghavi 2010"
    why:
      vi: "Vì"
      en: "Because"
"""


@pytest.fixture(autouse=True)
def _english():
    set_language("en")
    yield
    set_language("vi")


def sentences(tmp_path, text):
    path = tmp_path / "drawn.yaml"
    path.write_text(text, "utf-8")
    return "\n".join(read_entry(path, "redistribution")[1])


def test_a_right_set_has_no_problem(tmp_path):
    assert sentences(tmp_path, PACKAGES) == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sources:", "source:", "key “packages.heart.source” is unknown"),
        ('"I20-I25"', '"I20 to I25"', "packages.heart.targets[0].codes” is “I20 to I25”"),
        ('"I50;I51.4-I51.6"', '"heart"', "packages.heart.sources” is “heart”"),
        ("age_from: 15", "age_from: 15\n        age_to: 9", "ages from 15 to 9 are wrong"),
        ("judgement: own", "judgement: ours", "expected one of: own, source"),
        ("judgement: own", "judgement: own\n    weights: fixed", "each group of targets needs a “weight”"),
        ("age_from: 15", "weight: 0.5", "a “weight” is given but the package uses “proportional”"),
        ("age_from: 15", "weight: -1.0", "weight -1.0 cannot be used"),
        ("age_from: 15", "sex: men", "expected one of: both, male, female"),
        ("valid:\n  from: 2026-01-01\n", "", "“valid” is missing"),
        ("edition:", 'never_targets: "HIV"\nedition:', "never_targets” is “HIV”"),
    ],
)
def test_each_mistake_is_a_sentence(tmp_path, old, new, said):
    found = sentences(tmp_path, PACKAGES.replace(old, new, 1))
    assert "drawn.yaml" in found
    assert said in found
