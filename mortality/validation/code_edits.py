"""One ICD-10 code as the edits see it: is it well formed, what kind of code is it, which lists does it stand in.

Everything depends on the code, the country and the edition only; sex, age and the other lines come in `certificate_edits`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from mortality.icd import judge_code, normalise_code, takes_place_digit, who_categories
from mortality.validation import edit_lists
from mortality.validation.code_ranges import ranges_of
from tkyt_analysis.access.hiv import CODES as HIV_CODES

# WHO ICD-10 Volume 1, chapters XIX and XX.
NATURE = "S00-T79;T90-T98"  # injuries and poisonings; not T80-T88, complications of care
EXTERNAL = "V01-Y98"
INJURY = "V01-Y36"  # what an injury or poisoning comes from, without sequelae, drugs in use and care
# Diseases that no injury explains: without tetanus, gas gangrene, rabies, drugs and alcohol, inhaled matter, fractures, birth
# injuries, all of which an accident or somebody's hand may have led to.
DISEASE = (
    "A00-A32;A36-A47;A49-A81;A83-B99;C00-D89;E00-F09;F20-G91;G94-J66;J71-K90;L00-M79;M82-N99;O10-P09;P16-Q99;U07.1;U04"
)
INTENTS = {
    "accident": "V01-X59;Y85-Y86", "suicide": "X60-X84;Y87.0", "assault": "X85-Y09;Y87.1", "undetermined": "Y10-Y34;Y87.2",
    "legal_intervention": "Y35;Y89.0", "war": "Y36;Y89.1",
}  # fmt: skip
_MARKS = " *†+\u00a0"
_HIV = re.compile(HIV_CODES)
_DOT_ELSEWHERE = re.compile(r"^[A-Z]\d?\.|\..*\.|^.{4,}\.|\.$")


@dataclass(frozen=True)
class CodeFacts:
    """A written code.

    code : as it should stand, "" where it cannot be read; shown : the code, else what was written if that looks like a code; problem : the check it breaks (CODE_…, see edit_checks), "" none
    suggestion : the code to use instead of a broken one, "" where none is known
    external, nature, injury, disease : its kind (see EXTERNAL, NATURE, INJURY, DISEASE); intent : accident | suicide | … | "" (see INTENTS)
    asterisk : a manifestation; incomplete : three characters where WHO has four; hiv : restricted
    use : "" | never | if_cause_known as underlying cause, with use_suggestion
    ill_defined : WHO's list; unlikely_from : completed years of age from which it is unlikely to cause death, None never
    limits : lines of `edit_lists.limits`; rare : line of `edit_lists.rare_causes`, -1 none
    """

    code: str
    shown: str = ""
    problem: str = ""
    suggestion: str = ""
    external: bool = False
    nature: bool = False
    injury: bool = False
    disease: bool = False
    intent: str = ""
    asterisk: bool = False
    incomplete: bool = False
    hiv: bool = False
    use: str = ""
    use_suggestion: str = ""
    ill_defined: bool = False
    unlikely_from: float | None = None
    limits: tuple[int, ...] = ()
    rare: int = -1


@lru_cache(maxsize=200_000)
def facts_of_code(written: str, *, country: str = "VN", edition: int = 2019) -> CodeFacts:
    """What a written code is (dot, case and a †, * or a filling X do not matter); each is looked up once."""
    problem, code, suggestion = judge_structure(written)
    use, use_suggestion = _underlying_use(code, edition)
    intents = [name for name, ranges in INTENTS.items() if code in ranges_of(ranges)]
    return CodeFacts(
        code,
        code or _as_written(written),
        problem,
        suggestion,
        external=code in ranges_of(EXTERNAL),
        nature=code in ranges_of(NATURE),
        injury=code in ranges_of(INJURY),
        disease=code in ranges_of(DISEASE),
        intent=intents[0] if intents else "",
        asterisk=code in edit_lists.asterisk_ranges(),
        incomplete=len(code) == 3 and has_subdivisions(code),
        hiv=bool(_HIV.match(code) or _HIV.match(written.upper().strip(_MARKS))),
        use=use,
        use_suggestion=use_suggestion,
        ill_defined=code in edit_lists.ill_defined_ranges(edition),
        unlikely_from=_unlikely_from(code, edition),
        limits=_lines(code, edit_lists.limits(country)),
        rare=next(iter(_lines(code, edit_lists.rare_causes(country))), -1),
    )


def judge_structure(written: str) -> tuple[str, str, str]:
    """(check that the code breaks or "", the code as it should stand or "", what to use instead or "").

    The order of CoDEdit: first character, length, dot, U; then what the edition knows.
    """
    text = str(written).upper().strip(_MARKS)
    code = without_filler(normalise_code(text))
    if not text[:1].isascii() or not text[:1].isalpha():
        return "CODE_LETTER", "", ""
    if len(code) <= 2:
        return "CODE_SHORT", "", ""
    verdict = judge_code(code)
    if _DOT_ELSEWHERE.search(text):
        return "CODE_DOT", verdict.code, verdict.code
    if verdict.status == "valid":
        return "", verdict.code, ""
    if verdict.status == "legacy":
        return "CODE_LEGACY", verdict.code, verdict.code
    if code[0] == "U":
        return "CODE_U", "", ""
    if is_stray_place_digit(code):
        return "CODE_PLACE", code[:3], code[:3]
    if verdict.status == "clinical_modification":
        return "CODE_CM", verdict.code, verdict.code
    return "CODE_UNKNOWN", "", code[:3] if code[:3] in who_categories() else ""


def without_filler(code: str) -> str:
    """ "I64.X" → "I64": some systems fill three-character codes with an X."""
    return code[:3] if code[3:] == ".X" else code


@cache
def has_subdivisions(code: str) -> bool:
    """True where WHO 2019 divides a three-character category."""
    return any(f"{code}.{digit}" in who_categories() for digit in "0123456789")


def is_stray_place_digit(code: str) -> bool:
    """True for a fourth digit on a category that has none and is not of W00–Y34, where the place may be added."""
    category = code[:3]
    undivided = category in who_categories() and not has_subdivisions(category)
    return len(code) == 5 and code[4].isdigit() and undivided and not takes_place_digit(category)


def _as_written(written: str) -> str:
    """What was written where it looks like a code; other words are not repeated."""
    text = written.upper().strip(_MARKS)
    return text if re.fullmatch(r"[A-Z0-9.]{1,8}", text) else ""


def _underlying_use(code: str, edition: int) -> tuple[str, str]:
    found = ((use, suggestion) for use, ranges, suggestion in edit_lists.not_underlying(edition) if code in ranges)
    return next(found, ("", ""))


def _unlikely_from(code: str, edition: int) -> float | None:
    return next((youngest for ranges, youngest in edit_lists.unlikely_causes(edition) if code in ranges), None)


def _lines(code: str, rows: tuple[edit_lists.Limit | edit_lists.RareCause, ...]) -> tuple[int, ...]:
    return tuple(number for number, row in enumerate(rows) if code in row.ranges)
