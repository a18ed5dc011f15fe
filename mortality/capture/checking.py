"""Sentences beside a field: what the form itself sees, and the tests of single records (`mortality.validation`)."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mortality.capture.fields import CORRECTS, REASON, form_fields
from mortality.capture.typed import read_typed
from tkyt_analysis.app_shell.log import log, where_it_broke
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from mortality.capture.place import Workplace
    from mortality.capture.records import Draft

SEVERITIES = ("error", "warning", "note")
MISSING, UNREAD, OTHER_UNIT, NO_REASON = (
    "capture.missing",
    "capture.unread",
    "capture.unit_by_date",
    "capture.no_reason",
)
NOT_TESTED = "capture.not_tested"
OUTSIDE_THE_FORM = "full_name"  # a sentence about a field that the form does not have stands at the first one


@dataclass(frozen=True)
class Remark:
    """One sentence about a field. `confirmed`: the warning was answered "as written" for what stands there now."""

    rule_id: str
    severity: str
    field: str
    sentence: str
    suggestion: str = ""
    confirmed: bool = False


def remarks_on(
    draft: Draft,
    *,
    place: Workplace | None,
    book_year: int,
    today: datetime.date,
    complete: bool,
    restricted: bool = False,
) -> list[Remark]:
    """Everything that is to be said about a record, the worst first; [] for an empty one.

    complete : also what is still missing (asked for when the record is kept, not while it is typed)
    """
    if draft.is_empty:
        return []
    found = _unread(draft, book_year, today) + _of_place(draft, place, book_year, today)
    if complete:
        found += _missing(draft)
    unread = {one.field for one in found if one.rule_id == UNREAD}
    found += [one for one in _asked(draft, place, book_year, today, restricted) if one.field not in unread]
    if not complete:  # what a field that nobody came to yet lacks is said when the record is kept
        found = [one for one in found if draft.values.get(one.field)]
    told = {one.field for one in found if one.rule_id == MISSING}
    found = [one for one in found if one.rule_id == MISSING or one.field not in told]
    found = [_with_answer(one, draft) for one in found]
    order = [REASON, *form_fields()]
    return sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.confirmed, order.index(one.field)))


def _unread(draft: Draft, book_year: int, today: datetime.date) -> list[Remark]:
    found = []
    for name, field in form_fields().items():
        typed = read_typed(field, draft.values.get(name, ""), book_year=book_year, today=today)
        if typed.unread:
            found.append(Remark(UNREAD, "error", name, label(typed.unread)))
    return found


def _missing(draft: Draft) -> list[Remark]:
    found = [
        Remark(MISSING, "error", name, label(MISSING, field=field.title[_language()]))
        for name, field in form_fields().items()
        if field.required and not draft.values.get(name)
    ]
    if not draft.values.get("birth") and not draft.values.get("age"):
        found.append(Remark(MISSING, "error", "birth", label("capture.missing_age")))
    if draft.values.get(CORRECTS) and not draft.values.get(REASON):
        found.append(Remark(NO_REASON, "error", REASON, label(NO_REASON)))
    return found


def _language() -> str:
    from tkyt_analysis.labels import current_language

    return current_language()


def _of_place(draft: Draft, place: Workplace | None, book_year: int, today: datetime.date) -> list[Remark]:
    """A commune that did not exist on the day of death: the door takes the record in the book of that time's commune alone."""
    day = day_of(draft.values.get("death_date", ""), book_year, today)
    if place is None or day is None:
        return []
    early = place.valid_from is not None and day < place.valid_from
    if not early and (place.valid_to is None or day <= place.valid_to):
        return []
    limit = place.valid_from if early else place.valid_to
    key = "capture.unit_too_new" if early else "capture.unit_too_old"
    return [Remark(OTHER_UNIT, "error", "death_date", label(key, unit=place.name, day=f"{limit:%d/%m/%Y}"))]


def day_of(text: str, book_year: int, today: datetime.date) -> datetime.date | None:
    """The day of a typed date, None where it is not known to the day."""
    from mortality.register_dates import read_date

    return read_date(text, book_year, today.year).day if text else None


def _asked(
    draft: Draft, place: Workplace | None, book_year: int, today: datetime.date, restricted: bool
) -> list[Remark]:
    """The tests of single records. One that breaks keeps nobody from writing a death down: it is said, and kept in the log."""
    try:
        return _tested(draft, place, book_year, today, restricted)
    except Exception as error:
        log.error("capture: tests of a record: %s", where_it_broke(error))
        return [Remark(NOT_TESTED, "note", OUTSIDE_THE_FORM, label(NOT_TESTED))]


def _tested(
    draft: Draft, place: Workplace | None, book_year: int, today: datetime.date, restricted: bool
) -> list[Remark]:
    from mortality.validation.one_record import validate_record

    fields = form_fields()
    record = {name: value for name, value in draft.values.items() if name in fields}
    about = {"source": "a6", "book_year": str(book_year or ""), "unit_id": place.unit_id if place else ""}
    found = validate_record(
        {**record, **{key: value for key, value in about.items() if value}}, today=today, restricted=restricted
    )
    return [
        Remark(
            one.rule_id,
            one.severity,
            one.field if one.field in fields else OUTSIDE_THE_FORM,
            one.sentence,
            one.suggestion,
        )
        for one in found
    ]


# ------------------------------------------------------------------------------------------ "as written"


def about(draft: Draft, field: str) -> str:
    """What a confirmation is bound to: the text of the field (and of the dates and the cause, which many tests join)."""
    import hashlib

    names = dict.fromkeys((field, "sex", "birth", "age", "death_date", "cause_text", "icd10_as_written"))
    told = "\n".join(f"{name}={draft.values.get(name, '')}" for name in names)
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def _with_answer(remark: Remark, draft: Draft) -> Remark:
    from dataclasses import replace

    answered = remark.severity == "warning" and draft.confirmed.get(remark.rule_id) == about(draft, remark.field)
    return replace(remark, confirmed=answered)


def may_be_finished(remarks: list[Remark]) -> bool:
    """No error is open, and every warning was answered."""
    return all(one.severity == "note" or (one.severity == "warning" and one.confirmed) for one in remarks)
