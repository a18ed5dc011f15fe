"""Errors are sentences for people: where, what was found, what is expected, what to do.

Every message lives in the labels (Vietnamese and English); code names it by key. A traceback
is never what a user sees: the command line prints `error.sentence(language)` and leaves with
`error.exit_code`.
"""

from __future__ import annotations

from typing import Any

from tkyt_analysis.labels import label


class TkytError(Exception):
    """A failure that a person can understand and act on.

    Parameters
    ----------
    key : label key of the sentence, e.g. "error.unknown_place"
    fields : what the sentence names (file, row, value, ...), all shown as text
    """

    exit_code = 3

    def __init__(self, key: str, /, **fields: Any) -> None:
        super().__init__(key, fields)
        self.key = key
        self.fields = fields

    def sentence(self, language: str | None = None) -> str:
        """The message in `language` ("vi" or "en"; default: the session's language)."""
        return label(self.key, language, **self.fields)

    def __str__(self) -> str:
        return self.sentence()

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [self.sentence()]


class UsageError(TkytError):
    """Wrong use or wrong input: exit code 2."""

    exit_code = 2


class InputError(UsageError):
    """A file, catalog entry or value that cannot be taken as it is: exit code 2."""


class ProcessingError(TkytError):
    """The work was right to ask for but failed: exit code 3."""
