"""`tkyt deaths page`: a CSV of certificates through edits, underlying cause and cause list, onto one offline HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mortality.tabulation.cause_lists import DEFAULT_LIST
from tkyt_analysis.cli.terminal import json_option, print_json
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label


def write_certificates_page(
    source: Path,
    target: Path,
    *,
    list_id: str = DEFAULT_LIST,
    profile_name: str | None = None,
    decision_table: Path | None = None,
    practice: bool = False,
    restricted: bool = False,
    workers: int | None = None,
) -> dict[str, Any]:
    """The page of `certificates_page`, written whole or not at all; the counts come back.

    Raises InputError for a file that is no CSV of certificates, an unknown list or profile, a place that cannot be written.
    """
    from mortality.reports.certificates_data import run_certificates
    from mortality.reports.certificates_page import certificates_page
    from mortality.tabulation.cause_lists import load_cause_list
    from mortality.underlying_cause.profile import DEFAULT, profile

    load_cause_list(list_id)
    rules = profile(profile_name) if profile_name else DEFAULT
    run = run_certificates(source, profile=rules, decision_table=decision_table, workers=workers)
    document = certificates_page(run, list_id=list_id, practice=practice, restricted=restricted)
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        unfinished.write_text(document, encoding="utf-8")
        unfinished.replace(target)
    except OSError as error:
        raise InputError("error.tabulation_target", file=target, reason=error.strerror or "") from error
    finally:
        unfinished.unlink(missing_ok=True)
    findings = int(run.findings(restricted=restricted)["findings"].sum())
    counts = {
        "records": run.records,
        "with_cause": run.with_cause(restricted=restricted),
        "review": run.review,
        "findings": findings,
    }
    return {
        **counts,
        "given": run.given,
        "same_code": run.same_code,
        "same_category": run.same_category,
        "file": str(target),
    }


@click.command("page", help=label("cli.deaths.page"))
@click.argument("source", metavar="IN.csv", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT.html",
    type=click.Path(path_type=Path),
    help=label("cli.deaths.page.output"),
)
@click.option("--list", "list_id", default=DEFAULT_LIST, show_default=True, help=label("cli.deaths.page.list"))
@click.option("--profile", "profile_name", default=None, help=label("cli.deaths.page.profile"))
@click.option("--decision-table", type=click.Path(path_type=Path), default=None, help=label("cli.deaths.page.table"))
@click.option("--practice", is_flag=True, help=label("cli.deaths.page.practice"))
@click.option("--home", type=click.Path(path_type=Path), default=None, help=label("cli.deaths.page.home"))
@click.option("--workers", type=click.IntRange(1), default=None, help=label("cli.deaths.page.workers"))
@json_option
def page(
    source: Path,
    output: Path,
    list_id: str,
    profile_name: str | None,
    decision_table: Path | None,
    practice: bool,
    home: Path | None,
    workers: int | None,
    as_json: bool,
) -> None:
    from mortality.cli.validate import may_see_restricted

    result = write_certificates_page(
        source,
        output,
        list_id=list_id,
        profile_name=profile_name,
        decision_table=decision_table,
        practice=practice,
        restricted=may_see_restricted(home),
        workers=workers,
    )
    if as_json:
        print_json(result)
        return
    counts = {name: format_number(result[name]) for name in ("records", "with_cause", "review", "findings")}
    click.echo(label("certificates.done", None, file=output, **counts))
