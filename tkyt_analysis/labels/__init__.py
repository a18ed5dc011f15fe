"""Every word that a user sees, in Vietnamese and English, from one place.

A label file is `labels/<area>.yaml` beside a package: one block per key with its `vi` and `en`
text, so that a translator sees both at once. Plug-in modules bring their own folder.
Texts are `str.format` templates with named fields.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LANGUAGES = ("vi", "en")
LANGUAGE_NAMES = {"vi": "Tiếng Việt", "en": "English"}  # each in its own language, whatever the page's
_language: ContextVar[str | None] = ContextVar("tkyt_language", default=None)


def current_language() -> str:
    """Language of this session: `set_language`, else TKYT_LANGUAGE, else "vi"."""
    return _language.get() or os.environ.get("TKYT_LANGUAGE") or "vi"


def set_language(language: str) -> None:
    """Choose "vi" or "en" for this session (context-local)."""
    if language not in LANGUAGES:
        raise ValueError(f"language is {language!r}, expected one of {LANGUAGES}")
    _language.set(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Words come in one language for a while, whatever the session's is."""
    before = current_language()
    set_language(language)
    try:
        yield
    finally:
        set_language(before)


def label_directories() -> list[Path]:
    """The label folders: the core's, then one per installed module that has one."""
    from tkyt_analysis.modules import module_packages

    directories = [Path(__file__).parent]
    for package in module_packages():
        spec = find_spec(package)
        if spec and spec.origin:
            directory = Path(spec.origin).parent / "labels"
            if directory.is_dir():
                directories.append(directory)
    return directories


@cache
def all_labels() -> dict[str, dict[str, str]]:
    """{key: {"vi": text, "en": text}} of every label file; a key written twice is an error."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    labels: dict[str, dict[str, str]] = {}
    for directory in label_directories():
        for path in sorted(directory.glob("*.yaml")):
            entries = yaml.load(path.read_text("utf-8"), Loader=loader) or {}
            for key, texts in entries.items():
                if key in labels:
                    raise ValueError(f"{path}: label {key!r} stands in two files")
                labels[key] = texts
    return labels


def label(key: str, language: str | None = None, /, **fields: Any) -> str:
    """The text of `key` in `language`, its fields filled in; an unknown key is an error."""
    language = language or current_language()
    try:
        text = all_labels()[key][language]
    except KeyError:
        raise KeyError(f"no {language!r} text for label {key!r} in any labels/*.yaml") from None
    return text.format(**fields) if fields else text


def format_number(value: float | int | None, decimals: int = 0, language: str | None = None) -> str:
    """A number as people of the language write it: vi 1.234,5; en 1,234.5; missing is "–"."""
    if value is None or value != value:
        return "–"
    text = f"{value:,.{decimals}f}"
    if (language or current_language()) == "vi":
        return text.translate(str.maketrans(",.", ".,"))
    return text


def format_date(value: Any, language: str | None = None) -> str:
    """A date, or text of ISO form, as people write it: vi 31/12/2025; en 2025-12-31; missing is "–", other text stays."""
    if value is None or value != value or value == "":
        return "–"
    if isinstance(value, str):
        import datetime

        try:
            value = datetime.date.fromisoformat(value[:10])
        except ValueError:
            return value
    return f"{value:%d/%m/%Y}" if (language or current_language()) == "vi" else f"{value:%Y-%m-%d}"
