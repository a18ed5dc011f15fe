"""Every text has both languages, every key that code asks for exists, and no key is left over."""

import ast
import re
import string

import pytest
from support import REPOSITORY

from tkyt_analysis.labels import all_labels, format_date, format_number, label

TOKEN = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+")


def literals():
    """Every string constant of our code, with the constant parts of f-strings as prefixes."""
    plain, prefixes = set(), set()
    for package in ("tkyt_analysis", "mortality", "notebooks", "reports_templates", "voila_apps"):
        for path in (REPOSITORY / package).rglob("*"):
            if path.suffix == ".py":
                tree = ast.parse(path.read_text("utf-8"))
                for node in ast.walk(tree):
                    if isinstance(node, ast.Constant) and isinstance(node.value, str):
                        plain.add(node.value)
                        plain |= set(TOKEN.findall(node.value))
                    elif isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
                        prefixes.add(node.values[0].value)
            elif path.suffix in (".ipynb", ".j2", ".html"):
                plain |= set(TOKEN.findall(path.read_text("utf-8")))
    for path in (REPOSITORY / "data_catalog").rglob("*"):
        if path.suffix in (".yaml", ".csv"):
            plain |= set(TOKEN.findall(path.read_text("utf-8")))
    return plain, {prefix for prefix in prefixes if "." in prefix}


def fields(text):
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(all_labels()))
def test_a_text_has_both_languages_with_the_same_fields(key):
    texts = all_labels()[key]
    assert set(texts) == {"vi", "en"}, key
    assert all(isinstance(text, str) and text.strip() for text in texts.values()), key
    if not key.startswith("period."):  # a month has a number in Vietnamese and a name in English
        assert fields(texts["vi"]) == fields(texts["en"]), key


def asked_for():
    """(file, key) of every constant key given to label(), an error, Quarantined or Note."""
    for package in ("tkyt_analysis", "mortality"):
        for path in (REPOSITORY / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if (
                    name in ("label", "InputError", "UsageError", "ProcessingError", "Quarantined", "Note")
                    and node.args
                ):
                    first = node.args[0]
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        yield path.name, first.value


def test_every_text_that_code_asks_for_exists():
    assert sorted({(file, key) for file, key in asked_for() if key not in all_labels()}) == []


def test_no_text_is_left_over():
    plain, prefixes = literals()
    unused = sorted(
        key for key in all_labels() if key not in plain and not any(key.startswith(prefix) for prefix in prefixes)
    )
    assert unused == []


def test_texts_are_in_composed_unicode():
    import unicodedata

    assert [
        key
        for key, texts in all_labels().items()
        for text in texts.values()
        if unicodedata.normalize("NFC", text) != text
    ] == []


def test_numbers_and_dates_are_written_as_each_language_does():
    import datetime

    assert format_number(1234.5, 1, "vi") == "1.234,5"
    assert format_number(1234.5, 1, "en") == "1,234.5"
    assert format_number(None, 1, "vi") == format_number(float("nan"), 1, "vi") == "–"
    assert format_date(datetime.date(2025, 7, 1), "vi") == "01/07/2025"


def test_an_unknown_key_is_an_error():
    with pytest.raises(KeyError, match="no.such"):
        label("no.such", "vi")
