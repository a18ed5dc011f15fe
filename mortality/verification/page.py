"""The reference cases as a page of a notebook: ours, theirs, difference; or a sentence where the collection is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from mortality.verification.cases import TOPICS, Case, reference_cases, reference_folder, run_case, summary_of
from tkyt_analysis.errors import UsageError
from tkyt_analysis.labels import all_labels, current_language, format_number, label

MOST_FIGURES = 40


@dataclass(frozen=True)
class Verification:
    """What a run found: the comparisons of each case, and the cases that could not be read.

    tables : case id → rows of `compare` (none where its folder is absent); broken : case id → kind of error
    """

    folder: Path
    cases: dict[str, Case]
    tables: dict[str, pd.DataFrame] = field(repr=False)
    broken: dict[str, str]
    language: str

    @property
    def found(self) -> list[str]:
        """The cases that lay in the collection."""
        return [name for name in self.cases if len(self.tables.get(name, ())) or name in self.broken]

    @property
    def summary(self) -> pd.DataFrame:
        """Rows of `run_cases` of the cases found and read."""
        rows = [summary_of(self.cases[name], self.tables[name]) for name in self.found if name not in self.broken]
        return pd.DataFrame(rows, columns=["case", "topic", "figures", "passed", "worst", "found"])


class Html:
    """HTML that shows itself in a notebook."""

    def __init__(self, html: str) -> None:
        self.html = html

    def _repr_html_(self) -> str:
        return self.html


def verify(
    reference: str | Path = "",
    *,
    topic: str = "",
    language: str | None = None,
    run: Callable[..., pd.DataFrame] = run_case,
) -> Verification:
    """Run every case of the collection once.

    reference : its folder; "" is `TKYT_REFERENCE`. topic : one of `TOPICS`, "" for all (UsageError for another).
    A case whose files cannot be read is named with the kind of error; the others go on.
    """
    if topic and topic not in TOPICS:
        raise UsageError("error.verify_topic", found=topic, known=", ".join(TOPICS))
    folder = Path(reference).expanduser() if str(reference) else reference_folder()
    cases = {name: one for name, one in reference_cases().items() if topic in ("", one.topic)}
    tables, broken = {}, {}
    for name in cases:
        try:
            tables[name] = run(name, folder=folder)
        except Exception as problem:  # files of another collection: said in the page, the other cases go on
            broken[name] = type(problem).__name__
    return Verification(folder, cases, tables, broken, language or current_language())


def overview_html(found: Verification) -> Html:
    """How many figures agree, in one sentence; how to get the collection where it is absent."""
    from tkyt_analysis.pages import notice

    language = found.language
    if not found.found:
        return Html(
            notice(
                label("verify.absent", language, folder=found.folder.resolve(), cases=len(found.cases)),
                language=language,
            )
        )
    rows = found.summary
    figures, passed = int(rows["figures"].sum()), int(rows["passed"].sum())
    fields = {
        "cases": format_number(len(found.found), 0, language),
        "known": format_number(len(found.cases), 0, language),
        "figures": format_number(figures, 0, language),
        "passed": format_number(passed, 0, language),
    }
    good = figures == passed and not found.broken
    said = label("verify.all_agree" if good else "verify.some_differ", language, **fields)
    return Html(notice(said, kind="info" if good else "error", language=language))


def cases_html(found: Verification) -> Html:
    """One row per case: topic, figures, how many agree, the worst difference as a share of what is allowed."""
    from tkyt_analysis.pages import table_html

    language, rows = found.language, found.summary
    if rows.empty and not found.broken:
        return Html("")
    shown = pd.DataFrame(
        {
            "case": rows["case"],
            "about": [about(one, language) for one in rows["case"]],
            "topic": [label(f"verify.topic.{one}", language) for one in rows["topic"]],
            "figures": rows["figures"].astype("int64"),
            "passed": rows["passed"].astype("int64"),
            "worst": [_share(value, language) for value in rows["worst"]],
            "verdict": [
                label("verify.agrees" if row.figures == row.passed else "verify.differs", language)
                for row in rows.itertuples()
            ],
        }
    )
    for name, problem in found.broken.items():
        words = [
            name,
            about(name, language),
            label(f"verify.topic.{found.cases[name].topic}", language),
            0,
            0,
            "–",
            label("verify.broken", language, problem=problem),
        ]
        shown.loc[len(shown)] = words
    headings = {name: label(f"verify.column.{name}", language) for name in shown.columns}
    return Html(
        table_html(shown, headings=headings, caption=label("verify.cases", language), stacked=True, language=language)
    )


def case_html(found: Verification, case: str = "") -> Html:
    """The figures of one case, the worst first; "" opens the case that comes nearest to its tolerance."""
    from tkyt_analysis.pages import notice, paragraph, table_html

    language, rows = found.language, found.summary
    if rows.empty:
        return Html("")
    name = case or str(rows.sort_values("worst", na_position="first")["case"].iloc[-1])
    if name not in set(rows["case"]):
        return Html(
            notice(
                label("verify.unknown_case", language, found=name, known=", ".join(rows["case"])),
                kind="warning",
                language=language,
            )
        )
    table = worst_first(found.tables[name])
    top = table.head(MOST_FIGURES)
    shown = pd.DataFrame(
        {
            "quantity": top["quantity"].astype("str"),
            **{
                one: [_number(value, language) for value in top[one]]
                for one in ("ours", "theirs", "difference", "tolerance")
            },
            "verdict": [label("verify.agrees" if good else "verify.differs", language) for good in top["passes"]],
        }
    )
    headings = {one: label(f"verify.column.{one}", language) for one in shown.columns}
    figures = format_number(len(table), 0, language)
    caption = label("verify.figures", language, case=name, shown=format_number(len(top), 0, language), figures=figures)
    said = paragraph(about(name, language))
    return Html(said + table_html(shown, headings=headings, caption=caption, stacked=True, language=language))


def worst_first(table: pd.DataFrame) -> pd.DataFrame:
    """Figures that differ first, then by the difference as a share of what is allowed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (table["difference"].abs() / table["tolerance"].astype(float)).fillna(0.0)
    order = table.assign(_passes=table["passes"].astype(bool), _share=share).sort_values(
        ["_passes", "_share"], ascending=[True, False], kind="stable"
    )
    return order.drop(columns=["_passes", "_share"]).reset_index(drop=True)


def about(case: str, language: str) -> str:
    """What a case compares with, in a few words; its id where it has none."""
    key = f"verify.case.{case}"
    return label(key, language) if key in all_labels() else case


def _share(value: float, language: str) -> str:
    """Worst difference over its tolerance: 0.42 is 42 % of what is allowed."""
    if not np.isfinite(value):
        return "–"
    return f"{format_number(100 * value, 0, language)} %" if value >= 0.01 else "< 1 %"


def _number(value: float, language: str) -> str:
    """A figure with seven digits; powers of ten where it is very small or very large."""
    if not np.isfinite(value):
        return "–"
    return f"{value:.7g}".replace(".", "," if language == "vi" else ".")
