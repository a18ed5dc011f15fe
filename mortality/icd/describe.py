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
    loaded = loaded_editions(home)
    here = normalise_code(written)
    only_ministry = verdict.status == "unknown" and any(edition(name, home=home).is_valid(here) for name in loaded)
    code = verdict.code or here
    vietnamese = title_with_source(code, "vi", home=home)
    return {
        "written": written,
        "shown": code,
        "code": verdict.code,
        "status": "ministry_only" if only_ministry else verdict.status,
        "title_vi": vietnamese.text,
        "title_en": title(code, "en", home=home),
        "title_source": vietnamese.source,
        "editions": [_in_edition(edition(name, home=home), here) for name in (EDITION, *loaded, CM_EDITION)],
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
