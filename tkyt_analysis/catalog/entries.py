"""The kinds of catalog entry, one frozen dataclass each. A folder of `data_catalog/` holds one kind."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tkyt_analysis.catalog.dated import DatedValue, Validity, overlap_problems
from tkyt_analysis.catalog.dated import value_at as _value_at

Problems = list[tuple[str, str, dict[str, Any]]]
Missing = Literal["skip_if_any_missing", "skip_if_all_missing", "never_skip"]
Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Text:
    """What people read, Vietnamese first."""

    vi: str
    en: str

    def __getitem__(self, language: str) -> str:
        return getattr(self, language)


@dataclass(frozen=True)
class Origin:
    """Enough to cite the source, and to ask for it again."""

    producer: str
    document: str
    received: datetime.date | None = None
    file: str | None = None
    sha256: str | None = None
    unverified: bool = False


@dataclass(frozen=True)
class Column:
    """One column of a dataset.

    type : text | code | integer | number | date | boolean | period | unit (a unit_id)
    from_ : headers under which it arrives (compared folded: no accents, no case)
    unit : required for numbers ("persons", "deaths per 100 000", "1" for a bare count or share)
    scale : the received number times this is the stored one
    over_time : sum (a flow: months add up to a year) | last (a stock, such as staff: the last figure of a period stands
        for it) | average (its mean does)
    pseudonym_of : the stored value is a keyed hash of these columns of the row (clear text is never stored)
    """

    type: Literal["text", "code", "integer", "number", "date", "boolean", "period", "unit"]
    title: Text | None = None
    from_: tuple[str, ...] = ()
    unit: str | None = None
    scale: float = 1.0
    over_time: Literal["sum", "last", "average"] = "sum"
    codelist: str | None = None
    required: bool = False
    identifier: bool = False
    pseudonym_of: tuple[str, ...] = ()

    def problems(self) -> Problems:
        if self.type in ("number", "integer") and self.unit is None:
            return [("unit", "catalog.missing_unit", {})]
        return []


@dataclass(frozen=True)
class Panel:
    """How a wide unit × period table becomes long values.

    unit : headers of the unit column(s), outermost first; year, month, period : headers of the time columns
    unit_system : the code system of the units ("VN2025", "DHIS2", …); "" = places of Viet Nam by the date of the row
    elements : {header: element id}; left out, every number column of the entry is one: `<entry id>/<column>`
    """

    unit: tuple[str, ...]
    unit_system: str
    elements: Mapping[str, str] = field(default_factory=dict)
    year: str | None = None
    month: str | None = None
    period: str | None = None


@dataclass(frozen=True)
class DatasetCheck:
    """What must hold in every row (of a panel: in every unit and period): an expression over the column names.

    rule : comparisons, + - * /, AND, OR, NOT, IS NULL, numbers, 'texts' (see `tkyt_analysis.catalog.language`)
    """

    id: str
    rule: str
    severity: Literal["error", "warning", "note"]
    message: Text


@dataclass(frozen=True)
class DatasetIndicator:
    """A ratio of two expressions over the number columns, summed over the rows of a unit and period before dividing."""

    id: str
    title: Text
    numerator: str
    denominator: str
    per: float
    unit: Text


@dataclass(frozen=True)
class Dataset:
    """A table that the workbench receives or keeps: the entry is its schema.

    access : public | internal | personal (identifiers: restricted store only, never leaves)
    table : the warehouse table that rows go to, when it is not the entry's own id
    store : false for a received layout that only feeds another table
    domain : which of the three central databases it belongs to; owner : who answers for it; reported_by : the level
        that reports, every period_kind
    person : columns that together name a person; a line list with identifiers keeps them in the restricted store and
        stores `record_id` and `person_key` (keyed hashes) instead
    event_date, counted_by : a release counts the rows of a line list by unit, month of this date and these columns
    """

    id: str
    title: Text
    origin: Origin
    access: Literal["public", "internal", "personal"]
    grain: tuple[str, ...]
    columns: Mapping[str, Column]
    valid: Validity | None = None
    table: str | None = None
    store: bool = True
    file_pattern: str | None = None
    sheet: str | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    panel: Panel | None = None
    notes: Text | None = None
    domain: Literal["", "preventive", "curative", "management"] = ""
    owner: Text | None = None
    reported_by: Literal["", "commune", "district", "province", "facility", "ministry"] = ""
    period_kind: Literal["", "month", "quarter", "half", "year"] = ""
    person: tuple[str, ...] = ()
    event_date: str | None = None
    counted_by: tuple[str, ...] = ()
    checks: tuple[DatasetCheck, ...] = ()
    indicators: tuple[DatasetIndicator, ...] = ()

    def __post_init__(self) -> None:
        if self.panel and not self.panel.elements:
            numbers = {name: one for name, one in self.columns.items() if one.type in ("number", "integer")}
            elements = {header: f"{self.id}/{name}" for name, one in numbers.items() for header in one.from_}
            object.__setattr__(self, "panel", replace(self.panel, elements=elements))

    def problems(self) -> Problems:
        from tkyt_analysis.catalog.expressions import unknown_words

        named = [("grain", column) for column in self.grain if self.panel is None]
        named += [("person", column) for column in self.person] + [("counted_by", column) for column in self.counted_by]
        named += [("event_date", self.event_date)] if self.event_date else []
        grain: Problems = [
            (key, "catalog.grain_unknown", {"column": column}) for key, column in named if column not in self.columns
        ]
        said = [(f"indicators.{one.id}.{part}", getattr(one, part)) for one in self.indicators
                 for part in ("numerator", "denominator")]  # fmt: skip
        wrong: Problems = [
            (key, "catalog.expression_unknown", {"found": ", ".join(words), "columns": ", ".join(self.columns)})
            for key, text in said
            if (words := unknown_words(text, set(self.columns)))
        ]
        return grain + wrong + _check_problems(self.checks, set(self.columns))

    @property
    def target(self) -> str:
        """The warehouse table of its rows."""
        return self.table or self.id

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Columns that go to the restricted store (of an entry that is itself restricted: none goes elsewhere)."""
        if self.access == "personal":
            return ()
        return tuple(name for name, column in self.columns.items() if column.identifier)


def _check_problems(checks: tuple[DatasetCheck, ...], columns: set[str]) -> Problems:
    """A sentence for each check that cannot be read or names a column that the entry does not have."""
    from tkyt_analysis.catalog.language import operands, written
    from tkyt_analysis.catalog.language_parse import ExpressionError, parse_condition

    found: Problems = []
    for one in checks:
        try:
            named = operands(parse_condition(one.rule))
        except ExpressionError as error:
            found.append((f"checks.{one.id}.rule", "catalog.expression_wrong", error.details))
            continue
        words = [written(name) for name in named if written(name) not in columns]
        if words:
            about = {"found": ", ".join(words), "columns": ", ".join(columns)}
            found.append((f"checks.{one.id}.rule", "catalog.expression_unknown", about))
    return found


@dataclass(frozen=True)
class Regime:
    """A circular, decision or letter that orders reports: its forms are in force while it is.

    document : number and date; valid : first and last day; replaced_by : id of the regime that follows it
    """

    id: str
    title: Text
    document: str
    valid: Validity
    source: str
    issuer: Text | None = None
    replaced_by: str | None = None
    unverified: bool = False
    notes: Text | None = None


CellKind = Literal["count", "number", "percent", "money", "text", "date", "choice"]


@dataclass(frozen=True)
class FormColumn:
    """A column of a form: its id, the heading as printed and other headings seen.

    groups : headings over it, outermost first; neighbours with the same one share a merged cell
    value : what its cells hold (a row of the form may say otherwise); codelist : the words of a choice
    width : in characters, where the heading does not tell
    """

    id: str
    title: Text
    from_: tuple[str, ...] = ()
    groups: tuple[Text, ...] = ()
    value: CellKind = "count"
    codelist: str | None = None
    width: float | None = None
    required: bool = False


@dataclass(frozen=True)
class FormRule:
    """An arithmetic rule that the form itself gives, over its cells.

    kind : total (target = sum of parts; the template writes a formula) | at_most (target <= sum of parts) |
        at_least (target >= sum of parts) |
        only_in (cells of `target` stay empty or 0 outside the `within` ids of the other axis)
    axis : rows (target and parts are row ids) | columns (they are column ids)
    within : ids of the other axis where the rule holds; empty = everywhere
    """

    id: str
    kind: Literal["total", "at_most", "at_least", "only_in"]
    axis: Literal["rows", "columns"]
    target: str
    parts: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    unverified: bool = False

    def problems(self) -> Problems:
        missing = "within" if self.kind == "only_in" else "parts"
        return [] if getattr(self, missing) else [(missing, "catalog.missing_key", {})]


@dataclass(frozen=True)
class FormVersion:
    """A form as one circular has it.

    regime : id of the circular; a version without `to` ends when its circular ends
    layout : grid (rows × columns) | outline (numbered items, one answer column) | list (one line per person or event:
        the columns of the data set `dataset`)
    rows : code list of the rows: row, label_vi, and where needed number (as printed), label_en, indent, value
        (a cell kind, or none for a heading), unit_vi, codelist, filled_by, status
    total_row : heading of the row `total` that stands before the others
    cells_known : false where no copy of the form was at hand: the template then has free lines only
    code : as printed on this version, where it is not the form's own ("A6/CSYT" of A6)
    free_rows : lines that the unit heads itself (its own diseases, services …)
    rules : what the form itself says of its cells
    due_dates : {period id: last day} where a letter names the day itself; else deadline_days after the period
    windows : {period id: days of the data} where they are not those of the period
    """

    reference: str
    to: datetime.date | None = None
    unverified: bool = False
    regime: str | None = None
    code: str | None = None
    rows: str = ""
    row_heading: Text | None = None
    columns: tuple[FormColumn, ...] = ()
    total_row: Text | None = None
    cells_known: bool = True
    free_rows: int = 0
    period_kinds: tuple[str, ...] = ()
    deadline_days: int | None = None
    deadline_kind: Literal["working_days", "days"] = "working_days"
    layout: Literal["grid", "outline", "list"] = "grid"
    dataset: str | None = None
    rules: tuple[FormRule, ...] = ()
    due_dates: Mapping[str, datetime.date] = field(default_factory=dict)
    windows: Mapping[str, Validity] = field(default_factory=dict)
    unit_of_measure: Text | None = None
    receiver: Text | None = None
    guide: tuple[Text, ...] = ()

    def problems(self) -> Problems:
        """A form with known cells names its columns, and a grid or outline its rows or free lines."""
        if not self.cells_known:
            return []
        missing = [] if self.columns else ["columns"]
        if self.layout != "list" and not self.rows and not self.free_rows:
            missing.append("rows")
        return [(key, "catalog.missing_key", {}) for key in missing]


@dataclass(frozen=True)
class Form:
    """A reporting form with its dated versions. `level` is who fills it in; `reporters` says it in words where that
    is narrower (private facilities, the centre for disease control)."""

    id: str
    code: str
    title: Text
    level: Literal["commune", "district", "province", "facility", "ministry"]
    versions: Mapping[datetime.date, FormVersion]
    access: Literal["public", "internal", "personal"] = "internal"
    reporters: Text | None = None
    notes: Text | None = None

    def problems(self) -> Problems:
        dated = {start: DatedValue(version, version.reference, version.to) for start, version in self.versions.items()}
        return [(f"versions.{key}", name, fields) for key, name, fields in overlap_problems(dated)]

    def version_at(self, day: datetime.date) -> FormVersion:
        """The version in force on `day`."""
        dated = {start: DatedValue(one, one.reference, one.to) for start, one in self.versions.items()}
        return _value_at(self.id, dated, day).value


@dataclass(frozen=True)
class Indicator:
    """What a published figure is: formula, unit, numerator, denominator, legal source, from when.

    numerator, denominator : names that the measure functions know (deaths, population, live_births, …); "1": no denominator
    cause_definition, cause_measure : the measure of a cause definition that is counted (sdg_causes, "3.4.2")
    options : numbers of the method (at_age of a life expectancy, from_age and to_age of a probability of dying)
    per : the figure is per this many of the denominator; decimals : digits shown
    minimum_denominator, minimum_level : below them the figure is "not assessable"
    also : other names that people ask for it by (IMR, tuổi thọ)
    targets : {day by which it is to be reached: the figure asked for and the document that asks}
    """

    id: str
    title: Text
    definition: Text
    unit: Text
    numerator: str
    denominator: str
    per: float
    decimals: int
    sources: Mapping[datetime.date, DatedValue]
    method: str = "crude"
    standard_population: str | None = None
    cause_list: str | None = None
    cause_definition: str | None = None
    cause_measure: str | None = None
    options: Mapping[str, float] = field(default_factory=dict)
    age_groups: tuple[str, ...] = ()
    minimum_level: Literal["nation", "province", "district", "commune"] = "commune"
    minimum_denominator: float = 0.0
    higher_is: Literal["better", "worse", "neutral"] = "neutral"
    targets: Mapping[datetime.date, DatedValue] = field(default_factory=dict)
    notes: Text | None = None
    also: tuple[str, ...] = ()

    def problems(self) -> Problems:
        return [(f"sources.{key}", name, fields) for key, name, fields in overlap_problems(self.sources)]


@dataclass(frozen=True)
class Rule:
    """A quality rule: what it asks of the data, how serious a breach is, and the question it puts.

    kind : expression (left operator right) | python (the check registered under that function name)
    level : levels of unit that it judges; source : the document that asks for it; owner : who answers for the rule
    left, right : expressions (docs/quality_rules.md); operator : == != > >= < <= compulsory_pair exclusive_pair
    missing : skip_if_any_missing | skip_if_all_missing | never_skip (missing counts as 0); left_missing and
        right_missing say it for one side
    window : periods that one judgement looks at ({"before": 11, "least": 6, "ends": "quarter"}); empty: the period itself
    tolerance : how far the sides may lie apart before anybody is asked ({absolute, share, counts: standard errors})
    constants : {name: number} of the expressions; fields : further words that the question may name in curly brackets
    groups : groups of rules in DHIS2; external_id : id of the rule there
    valid_from, valid_to : days between which a period must end for the rule to be asked; empty: always
    detects : kinds of defect (code list `defect_kinds`) that it claims to find; shown with its truth card
    examples : small cases that the rule must judge as written (given, holds, why); run by the catalog's tests
    default : false = asked only where it is named (rules of other tools, kept for comparison); never in a whole run
    """

    id: str
    version: int
    title: Text
    question: Text
    severity: Literal["error", "warning", "note"]
    kind: Literal["expression", "python"]
    level: tuple[str, ...]
    owner: str
    source: str
    function: str | None = None
    left: str | None = None
    operator: str | None = None
    right: str | None = None
    missing: Missing = "skip_if_any_missing"
    left_missing: Missing | None = None
    right_missing: Missing | None = None
    tolerance: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, float] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    external_id: str = ""
    applies_to: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    window: Mapping[str, Any] = field(default_factory=dict)
    valid_from: datetime.date | None = None
    valid_to: datetime.date | None = None
    detects: tuple[str, ...] = ()
    examples: tuple[Mapping[str, Any], ...] = ()
    default: bool = True
    unverified: bool = False

    def problems(self) -> Problems:
        if self.kind == "python" and not self.function:
            return [("function", "catalog.missing_key", {})]
        from tkyt_analysis.catalog.rule_sides import question_problems, rule_problems

        return rule_problems(self) if self.kind == "expression" else question_problems(self)


@dataclass(frozen=True)
class Threshold:
    """A number, list or word that a document decides, by date."""

    id: str
    title: Text
    unit: str
    values: Mapping[datetime.date, DatedValue]

    def problems(self) -> Problems:
        return [(f"values.{key}", name, fields) for key, name, fields in overlap_problems(self.values)]

    def at(self, day: datetime.date) -> Any:
        """The value in force on `day`."""
        return _value_at(self.id, self.values, day).value


@dataclass(frozen=True)
class CauseListEntry:
    """A tabulation list of causes of death, dated; its items are a code list."""

    id: str
    title: Text
    edition: str
    items: str
    source: str
    valid: Validity | None = None
    unverified: bool = False


@dataclass(frozen=True)
class CauseDefinition:
    """Causes that an indicator counts, dated: measures of parts with ages, sexes and weights. No partition; `parts` is a code list."""

    id: str
    title: Text
    edition: str
    parts: str
    source: str
    valid: Validity | None = None
    remark: Text | None = None
    unverified: bool = False


@dataclass(frozen=True)
class Holiday:
    """A public holiday as a law has it, while it has it.

    lunar : month and day are of the Vietnamese lunar calendar (UTC+7)
    days : days off in all; `before` of them lie before the day itself, where no decision of the year says otherwise
    """

    id: str
    title: Text
    reference: str
    month: int
    day: int
    from_: datetime.date
    to: datetime.date | None = None
    lunar: bool = False
    days: int = 1
    before: int = 0
    unverified: bool = False


@dataclass(frozen=True)
class CalendarDecision:
    """What the notice of a year decides: days off before a holiday, working days swapped with days of rest.

    before : {holiday id: days off before the day itself}
    days_off, working_days : of a swap; as many of the one as of the other
    """

    year: int
    reference: str
    before: Mapping[str, int] = field(default_factory=dict)
    days_off: tuple[datetime.date, ...] = ()
    working_days: tuple[datetime.date, ...] = ()
    unverified: bool = False


@dataclass(frozen=True)
class Calendar:
    """Days of work and rest of public bodies: weekly rest (ISO weekdays), public holidays, the decisions of each year."""

    id: str
    title: Text
    first_year: int
    last_year: int
    weekly_rest: tuple[int, ...]
    holidays: tuple[Holiday, ...]
    decisions: tuple[CalendarDecision, ...] = ()

    def problems(self) -> Problems:
        known = {one.id for one in self.holidays}
        found: Problems = []
        for number, one in enumerate(self.decisions):
            key = f"decisions[{number}]"
            found += [(key, "catalog.holiday_unknown", {"holiday": name}) for name in set(one.before) - known]
            if len(one.days_off) != len(one.working_days):
                found.append((key, "catalog.swap_uneven", {"off": len(one.days_off), "worked": len(one.working_days)}))
            wrong = [day for day in one.working_days if day.isoweekday() not in self.weekly_rest]
            found += [(key, "catalog.swap_not_rest", {"day": day}) for day in wrong]
        return found


KINDS: dict[str, type] = {
    "datasets": Dataset,
    "forms": Form,
    "regimes": Regime,
    "indicators": Indicator,
    "rules": Rule,
    "thresholds": Threshold,
    "cause_lists": CauseListEntry,
    "cause_definitions": CauseDefinition,
    "calendars": Calendar,
}
