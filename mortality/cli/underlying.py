"""`tkyt deaths underlying`: a CSV of certificates, or the certificates of a home, into a CSV of underlying causes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from mortality.underlying_cause.files import FileSummary


@click.command("underlying", help=label("cli.deaths.underlying"))
@click.argument("source", metavar="[IN.csv]", required=False, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help=label("cli.deaths.output"))
@click.option("--decision-table", type=click.Path(path_type=Path), help=label("cli.deaths.underlying.table"))
@click.option("--profile", "profile_name", default=None, help=label("cli.deaths.underlying.profile"))
@click.option("--explain", "explained", is_flag=True, help=label("cli.deaths.underlying.explain"))
@click.option("--workers", type=click.IntRange(1), default=1, help=label("cli.deaths.underlying.workers"))
@home_option
@json_option
def underlying(
    source: Path | None,
    output: Path,
    decision_table: Path | None,
    profile_name: str | None,
    explained: bool,
    workers: int,
    home: Path,
    as_json: bool,
) -> None:
    from mortality.underlying_cause.files import underlying_causes_of_file
    from mortality.underlying_cause.profile import DEFAULT, profile

    rules = profile(profile_name) if profile_name else DEFAULT
    if source is None:
        source = _certificates_of(home, output)
    try:
        summary = underlying_causes_of_file(
            source, output, profile=rules, decision_table=decision_table, explained=explained, workers=workers
        )
    finally:
        if source.name.endswith(".certificates.unfinished"):
            source.unlink(missing_ok=True)
    if as_json:
        print_json(_as_json(summary, output, rules.name))
        return
    for line in _sentences(summary, output):
        click.echo(line)


def _certificates_of(home: Path, output: Path) -> Path:
    """The certificates of a home as a file beside the output, taken away afterwards."""
    from mortality.underlying_cause.home import write_certificates

    path = output.with_name(output.name + ".certificates.unfinished")
    try:
        write_certificates(home, path)
    except OSError as error:
        raise InputError("error.ucod_target", file=output, reason=error.strerror or "") from error
    return path


def _as_json(summary: FileSummary, output: Path, profile_name: str) -> dict[str, object]:
    return {
        "file": str(output),
        "profile": profile_name,
        "rows": summary.rows,
        "with_cause": summary.with_cause,
        "flags": dict(sorted(summary.flags.items())),
        "examples": summary.examples,
    }


def _sentences(summary: FileSummary, output: Path) -> list[str]:
    """What was done, and each kind of flag with its first examples."""
    from mortality.underlying_cause.explain import flag_text

    done = label(
        "ucod.file.done",
        rows=format_number(summary.rows),
        with_cause=format_number(summary.with_cause),
        without=format_number(summary.rows - summary.with_cause),
        file=output,
    )
    said = [done]
    for flag, count in sorted(summary.flags.items()):
        said.append(label("ucod.file.flag", flag=flag, rows=format_number(count), words=flag_text(flag)))
        shown = summary.examples.get(flag, [])
        if shown:
            said.append(label("ucod.file.examples", examples="; ".join(shown)))
    return said
