"""Code lists: `data_catalog/codelists/<id>.csv`, every column text, `#` lines name the source."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.settings import catalog_directories


def codelist_path(codelist: str) -> Path:
    """The CSV of a code list; the user's own folders win over the shipped one."""
    for directory in reversed(catalog_directories()):
        for suffix in (".csv", ".csv.gz"):
            path = directory / "codelists" / f"{codelist}{suffix}"
            if path.is_file():
                return path
    raise InputError("error.codelist_missing", codelist=codelist)


@cache
def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False, comment="#", encoding="utf-8")


def read_codelist(codelist: str) -> pd.DataFrame:
    """The rows of `data_catalog/codelists/<codelist>.csv`; all columns text, empty cells "".

    Raises InputError where no folder has the list.
    """
    return _read(codelist_path(codelist)).copy()
