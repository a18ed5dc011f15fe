"""Everything the registry knows about one code, for `tkyt icd show`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mortality.icd.cm import CM_EDITION
from mortality.icd.editions import Edition, edition
from mortality.icd.judge import judge_code
from mortality.icd.ministry_store import loaded_editions
from mortality.icd.titles import title, title_with_source
from mortality.icd.who import EDITION, normalise_code


def describe_code(written: str, *, home: Path | None = None) -> dict[str, Any]:
    """The verdict on a written code, its titles with their source, and its place in every edition at hand."""
    verdict = judge_code(written)
    code = verdict.code or normalise_code(written)
    vietnamese = title_with_source(code, "vi", home=home)
    names = [EDITION, *loaded_editions(home), CM_EDITION]
    return {
        "written": written,
        "code": verdict.code,
        "status": verdict.status,
        "title_vi": vietnamese.text,
        "title_en": title(code, "en", home=home),
        "title_source": vietnamese.source,
        "editions": [_in_edition(edition(name, home=home), normalise_code(written)) for name in names],
    }


def _in_edition(one: Edition, code: str) -> dict[str, Any]:
    valid = one.is_valid(code)
    return {
        "edition": one.id,
        "valid": valid,
        "lowest_level": one.is_lowest_level(code),
        "parent": one.parent(code) if valid else "",
        "children": one.children(code),
        "mark": one.mark(code),
        "flags": sorted(one.flags(code)),
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
    }
