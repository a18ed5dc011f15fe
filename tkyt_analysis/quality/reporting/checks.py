"""The checks of reporting, each under the function name that rules use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.quality.checks import CheckResult, FormCheck, TableCheck
from tkyt_analysis.quality.findings import make_findings, no_findings
from tkyt_analysis.quality.reporting import episodes, missingness, runs, submissions, timeliness, zero_storage, zeros
from tkyt_analysis.quality.reporting.grid import data_sets
from tkyt_analysis.quality.reporting.sources import NEEDS, reports_of

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

Results = Iterator[CheckResult]
_RUN_FIELDS = ["to", "months", "report"]


def _naming(rule: Rule) -> dict[str, Any]:
    return {"rule_id": rule.id, "rule_version": rule.version, "severity": rule.severity}


def title_of(con: duckdb.DuckDBPyConnection, dataset_id: str) -> str:
    """The name of a data set, as the question to the unit names it; its id where no list names it."""
    tables = con.execute("SELECT 1 FROM duckdb_columns() WHERE table_name = 'data_set' AND column_name = 'name'")
    if tables.fetchone() is None:
        return dataset_id
    row = con.execute("SELECT max(name) FROM data_set WHERE dataset_id = ?", [dataset_id]).fetchone()
    return str(row[0]) if row and row[0] else dataset_id


def _count(con: duckdb.DuckDBPyConnection, dataset_no: int, condition: str) -> int:
    sql = f"SELECT count(*) FROM report WHERE dataset_no = {dataset_no} AND {condition}"
    return int(con.execute(sql).fetchall()[0][0])


def _runs(trait: str, total: str, verdict: str, *, among: str = "true", stake: bool = False) -> Callable[..., Results]:
    """A check that makes one finding per run of reports with a trait; `total` are the reports it could judge."""

    def run(context: CheckContext, rule: Rule) -> Results:
        con = reports_of(context)
        for number, dataset in data_sets(con):
            rows = runs.runs(con, number, trait, among=among, periods=context.periods)
            if stake and len(rows):
                usual = rows["unit_no"].map(runs.usual_size(con, dataset))
                rows = rows.assign(at_stake=(usual * rows["months"]).round(1))
            rows = rows.assign(dataset_id=dataset, report=title_of(con, dataset), verdict=verdict, probability=1.0)
            judged = _count(con, number, total)
            yield CheckResult(make_findings(rows, fields=_RUN_FIELDS, **_naming(rule)), judged, judged)

    return run


def _late(context: CheckContext, rule: Rule) -> Results:
    con = reports_of(context)
    for number, dataset in data_sets(con):
        rows = timeliness.late_reports(con, number, least_days=int(rule.parameters.get("least_days", 1)))
        if context.periods is not None:
            wanted = context.periods
            rows = rows[[not wanted.isdisjoint(periods) for periods in rows["periods"]]]
        rows = rows.assign(dataset_id=dataset, verdict="late", value=rows["median_days"], expected=0.0, probability=1.0)
        rows = rows.assign(report=title_of(con, dataset))
        fields = ["periods", "late", "sent", "longest_days", "report"]
        yield CheckResult(make_findings(rows, fields=fields, **_naming(rule)), *timeliness.timed_share(con, number))


def _more_than_expected(context: CheckContext, rule: Rule) -> Results:
    """Reports of units that had none to make, of data sets that have a list of reporters."""
    con = reports_of(context)
    for number, dataset in data_sets(con):
        rows = runs.runs(con, number, runs.NOT_DUE, among=runs.NOT_DUE, periods=context.periods)
        rows = rows.assign(dataset_id=dataset, report=title_of(con, dataset), verdict="not_expected", probability=1.0)
        judged = _count(con, number, "received")
        yield CheckResult(make_findings(rows, fields=_RUN_FIELDS, **_naming(rule)), judged, judged)


def _fell_silent(context: CheckContext, rule: Rule) -> Results:
    """Units that stopped all their reports, and units that stopped one data set while others go on."""
    con = reports_of(context)
    least, likely = int(rule.parameters.get("least_months", 2)), float(rule.parameters.get("least_probability", 0.5))
    everywhere = _silent(con, episodes.unit_months(con), least, likely)
    units = int(con.execute("SELECT count(DISTINCT unit_no) FROM report_unit_month").fetchall()[0][0])
    yield _silent_result(context, rule, everywhere, "", units)
    for number, dataset in data_sets(con):
        rows = _silent(con, episodes.data_set_source(number), least, likely)
        alone = rows[~rows["unit_id"].isin(everywhere["unit_id"])]
        sql = f"SELECT count(DISTINCT unit_no) FROM report WHERE expected AND dataset_no = {number}"
        yield _silent_result(context, rule, alone, dataset, int(con.execute(sql).fetchall()[0][0]))


def _silent(con: duckdb.DuckDBPyConnection, source: str, least: int, likely: float) -> pd.DataFrame:
    rows = episodes.silent_tails(con, source, least=least)
    return rows[rows["probability"] >= likely]


def _silent_result(context: CheckContext, rule: Rule, rows: pd.DataFrame, dataset: str, units: int) -> CheckResult:
    rows = rows.assign(dataset_id=dataset, verdict="fell_silent", probability=rows["probability"].round(4))
    found = make_findings(rows, fields=["to", "months", "closed"], **_naming(rule))
    if context.periods is not None:
        found = found[runs.reaching_into(found, context.periods)]
    return CheckResult(found, units, units)


def _not_at_random(context: CheckContext, rule: Rule) -> CheckResult:
    con = reports_of(context)
    episodes.unit_months(con)
    tested = missingness.missing_not_at_random(missingness.unit_missingness(con))
    ok = tested[tested["status"] == "ok"]
    least, level = float(rule.parameters.get("least_points", 2)), float(rule.parameters.get("p_value", 0.01))
    rows = ok[(ok["effect"] >= least) & (ok["p_value"] <= level / max(1, len(ok)))]
    rows = rows.assign(
        unit_id=rows["province_id"], value=rows["effect"].round(1), expected=0.0, lower=rows["lower"].round(1),
        upper=rows["upper"].round(1), probability=1 - rows["p_value"], verdict="missing_not_at_random",
    )  # fmt: skip
    findings = make_findings(rows, fields=["factor", "units"], subject="factor", **_naming(rule))
    return CheckResult(findings, len(ok), len(tested))


def _zeros_not_stored(context: CheckContext, rule: Rule) -> CheckResult:
    found = zero_storage.zero_storage(context.con)
    none = found[found["status"] == "not_stored"]
    rows = none.assign(
        value=none["zeros"], expected=none["zeros_expected"].round(), verdict="zeros_not_stored", unit_id=""
    )
    judged = int((found["status"] != "not_assessable").sum())
    return CheckResult(make_findings(rows, fields=["cells", "ones", "twos"], **_naming(rule)), judged, len(found))


def _sent_again(revised: bool) -> Callable[..., Results]:
    """Reports that came twice (in one file, or equal), or that a later file revised."""

    def run(context: CheckContext, rule: Rule) -> Results:
        (reports,) = context.con.execute(_REPORTS_ARRIVED).fetchall()[0]
        yield CheckResult(no_findings(), int(reports), int(reports))
        published = submissions.publications(context.home) if context.home else []
        received = _received_at(context) if revised else {}
        for dataset in submissions.data_sets_sent_again(context.con):
            rows = submissions.sent_again(context.con, dataset).assign(dataset_id=dataset)
            rows = (
                rows[rows["differing"].gt(0) & ~rows["within_file"] & rows["files"].gt(1)] if revised else _twice(rows)
            )
            if revised:
                since = rows["last_file"].map(received)
                rows = rows.assign(
                    verdict="revised", value=rows["last_value"], expected=rows["first_value"], probability=1.0,
                    at_stake=(rows["last_value"] - rows["first_value"]).abs(),
                    published_before=[_before(published, one) for one in since],
                )  # fmt: skip
            fields = ["cells", "differing", "files", *(["published_before"] if revised else [])]
            yield CheckResult(make_findings(rows, fields=fields, **_naming(rule)), 0, 0)

    return run


_REPORTS_ARRIVED = """
    SELECT sum(n) FROM (SELECT dataset_id, count(*) AS n FROM (
        SELECT DISTINCT dataset_id, unit_no, period_no FROM cell JOIN series USING (series_no)) GROUP BY 1)
"""


def _twice(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows[rows["within_file"] | rows["differing"].eq(0) | rows["files"].lt(2)]
    differs = rows["differing"] > 0
    verdict = pd.Series("duplicate_identical", index=rows.index).mask(differs, "duplicate_differing")
    stake = (rows["last_value"].fillna(0) - rows["first_value"].fillna(0)).abs()
    return rows.assign(verdict=verdict, at_stake=stake.where(differs, 0))


def _received_at(context: CheckContext) -> dict[str, str]:
    if not context.has("received_file"):
        return {}
    return dict(context.con.execute("SELECT file_sha256, max(received_at) FROM received_file GROUP BY 1").fetchall())


def _before(published: list[tuple[str, str]], received_at: object) -> str:
    """The first release that was published before the revision came; "" where none was."""
    earlier = [release for made_at, release in published if isinstance(received_at, str) and made_at < received_at]
    return earlier[0] if earlier else ""


REPORT_MISSING = TableCheck(NEEDS, _runs(runs.MISSING, "expected", "missing", among="expected", stake=True))
REPORT_MARKED_WITHOUT_DATA = TableCheck(
    (*NEEDS, "reporting_status"), _runs(runs.MARKED_WITHOUT_DATA, "marked", "marked_without_data")
)
DATA_WITHOUT_MARK = TableCheck(
    (*NEEDS, "reporting_status"),
    _runs(runs.DATA_WITHOUT_MARK, "received AND marked IS NOT NULL", "data_without_mark"),
)
REPORT_LATE = TableCheck(NEEDS, _late)
MORE_RECEIVED_THAN_EXPECTED = TableCheck(NEEDS, _more_than_expected)
UNIT_FELL_SILENT = TableCheck(NEEDS, _fell_silent)
MISSING_NOT_AT_RANDOM = TableCheck(NEEDS, _not_at_random)
ZEROS_NOT_STORED = TableCheck(("cell",), _zeros_not_stored)
ZERO_OR_MISSING = FormCheck(zeros.judge_zeros)
DUPLICATE_SUBMISSIONS = TableCheck(("received_value",), _sent_again(revised=False))
REPORT_REVISED = TableCheck(("received_value",), _sent_again(revised=True))
