"""What a table of figures knows about itself: measures and units, names of codes, source and vintage, remarks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tkyt_analysis.cube.model import Measure, View, view_from
from tkyt_analysis.labels import format_date, label

if TYPE_CHECKING:
    from tkyt_analysis.api.question import Question

PASSPORT = ("release", "snapshot", "data_as_of", "catalog_version", "code_version", "practice")


@dataclass(frozen=True, eq=False)
class About:
    """Carried by every table through filtering, grouping, merging and copying.

    measures, names, passport, remarks : as in `cube.Figures`; passports of other releases merged in stand in `others`
    heading : over the table; `view` : the question; `question` : the same, able to be asked again (not pickled)
    grouped : pandas summed or averaged the table after it came from the cube
    """

    heading: str = ""
    measures: Mapping[str, Measure] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    passport: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[Mapping[str, Any], ...] = ()
    remarks: tuple[str, ...] = ()
    view: View | None = None
    question: Question | None = None
    grouped: bool = False

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "question": None}

    @property
    def has_rates(self) -> bool:
        """Whether any measure is a rate, share or ratio, whose parts do not sum."""
        return any(one.method not in ("count", "average") for one in self.measures.values())

    @property
    def practice(self) -> bool:
        """Whether any of the figures is synthetic."""
        return any(bool(one.get("practice")) for one in (self.passport, *self.others))

    @property
    def note(self) -> str:
        """One line for a picture: that the figures are synthetic (if they are), the release and its date."""
        words = [label("page.practice") + "."] if self.practice else []
        return " ".join([*words, *(vintage_line(one) for one in (self.passport, *self.others)[:1] if one)])

    @property
    def after_pandas(self) -> About:
        """The same, of a table that pandas has grouped."""
        return self if self.grouped else replace(self, grouped=True)

    def sentences(self, language: str | None = None) -> list[str]:
        """What belongs under the table: source and vintage, remarks, and a word on averaged rates."""
        lines = [vintage_line(one, language) for one in (self.passport, *self.others) if one]
        if self.others:
            lines.append(label("api.several_releases", language))
        if self.grouped and self.has_rates:
            lines.append(label("api.averaged_rates", language))
        return [*lines, *self.remarks]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: what a Parquet file keeps. Names of codes and units are among them, the release is not."""
        return {
            "heading": self.heading,
            "measures": {name: _measure_values(one) for name, one in self.measures.items()},
            "names": {name: dict(codes) for name, codes in self.names.items()},
            "passport": dict(self.passport),
            "others": [dict(one) for one in self.others],
            "remarks": list(self.remarks),
            "view": self.view.as_dict() if self.view else None,
            "grouped": self.grouped,
        }


def about_from(values: Mapping[str, Any]) -> About:
    """What `About.as_dict` wrote."""
    from tkyt_analysis.catalog.entries import Text

    texts = ("title", "unit", "group_title", "definition")
    measures = {
        name: Measure(
            **{
                **one,
                **{key: Text(**one[key]) if one[key] else None for key in texts},
                "dimensions": frozenset(one["dimensions"]),
            }
        )
        for name, one in values["measures"].items()
    }
    view = view_from(values["view"]) if values["view"] else None
    tuples = {"others": tuple(values["others"]), "remarks": tuple(values["remarks"])}
    return About(**{**values, "measures": measures, "view": view, **tuples})


def _measure_values(measure: Measure) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(measure), "dimensions": sorted(measure.dimensions), "options": {}}


def vintage_line(passport: Mapping[str, Any], language: str | None = None) -> str:
    """Release, date of the data and snapshot in one line."""
    return label(
        "api.vintage",
        language,
        release=passport.get("release", "–"),
        date=day_text(str(passport.get("data_as_of") or ""), language),
        snapshot=passport.get("snapshot", "–"),
    )


def day_text(day: str, language: str | None = None) -> str:
    """The day "2026-11-22" as people write it; anything else as it is."""
    import datetime

    try:
        return format_date(datetime.date.fromisoformat(day), language)
    except ValueError:
        return day or "–"


def combined(parts: Iterable[About]) -> About | None:
    """What is known of a table made of several (merged, one under the other); None of none."""
    known = list({id(one): one for one in parts}.values())
    if len(known) < 2:
        return known[0] if known else None
    first = known[0]
    names: dict[str, Mapping[str, str]] = {}
    measures: dict[str, Measure] = {}
    passports: dict[str, Mapping[str, Any]] = {}
    for one in known:
        measures |= dict(one.measures)
        for dimension, codes in one.names.items():
            names[dimension] = {**names.get(dimension, {}), **codes}
        for passport in (one.passport, *one.others):
            passports.setdefault(str(passport.get("release", "")), passport)
    remarks = tuple(dict.fromkeys(remark for one in known for remark in one.remarks))
    heading = "; ".join(dict.fromkeys(one.heading for one in known if one.heading))
    ordered = list(passports.values())
    grouped = any(one.grouped for one in known)
    return replace(
        first, heading=heading, measures=measures, names=names, passport=ordered[0], others=tuple(ordered[1:]),
        remarks=remarks, view=None, question=None, grouped=grouped,
    )  # fmt: skip


def source_words(measure: Measure, language: str | None = None) -> str:
    """The source of a measure as people know it: a document, or the name of the data set that it is counted from."""
    from tkyt_analysis.labels import all_labels, current_language

    if measure.source == measure.group:
        return measure.group_title[language or current_language()]
    key = f"api.source.{measure.source}"
    return label(key, language) if key in all_labels() else measure.source


def period_words(period: str, language: str | None = None) -> str:
    """ "202501..202503" as "Tháng 1 năm 2025 – Tháng 3 năm 2025"."""
    from tkyt_analysis.reference.periods import format_period

    return " – ".join(format_period(one, language) for one in period.split("..")) if period else ""
