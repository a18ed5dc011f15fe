"""`tkyt dhis2`: pull, push, log, and a practice server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.terminal import ProgressBar, home_option, json_option, print_json, print_table
from tkyt_analysis.errors import InputError
from tkyt_analysis.gateway import USUAL
from tkyt_analysis.labels import format_number, label


@click.group(help=label("cli.dhis2"))
def dhis2() -> None:
    """The gateway to DHIS2."""


def _server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--insecure-http", is_flag=True, help=label("cli.dhis2.insecure_http")),
        click.option("--ca-file", type=click.Path(path_type=Path), default=None, help=label("cli.dhis2.ca_file")),
        click.option("--server", required=True, envvar="TKYT_DHIS2_SERVER", help=label("cli.dhis2.server")),
    ):
        command = option(command)
    return command


@dhis2.command(help=label("cli.dhis2.pull"))
@_server_options
@click.option("--what", default=",".join(USUAL), show_default=True, help=label("cli.dhis2.what"))
@click.option("--dataset", "datasets", multiple=True, help=label("cli.dhis2.dataset"))
@click.option("--period", "periods", multiple=True, help=label("cli.dhis2.period"))
@click.option("--since", default="", help=label("cli.dhis2.since"))
@click.option("--unit", "units", multiple=True, help=label("cli.dhis2.unit"))
@click.option("--element", "elements", multiple=True, help=label("cli.dhis2.element"))
@click.option("--level", default=2, show_default=True, help=label("cli.dhis2.level"))
@click.option("--full", is_flag=True, help=label("cli.dhis2.full"))
@home_option
@json_option
def pull(
    server: str, ca_file: Path | None, insecure_http: bool, what: str, datasets: tuple[str, ...], periods: tuple[str, ...],
    since: str, units: tuple[str, ...], elements: tuple[str, ...], level: int, full: bool, home: Path, as_json: bool,
) -> int:  # fmt: skip
    from tkyt_analysis.gateway.plan import Wish
    from tkyt_analysis.gateway.pull import pull as pull_from
    from tkyt_analysis.gateway.server import read_server
    from tkyt_analysis.pipeline import prepare_home

    wanted = tuple(part.strip() for part in what.split(",") if part.strip())
    wish = Wish(wanted, datasets, periods, units, since, elements, level)
    at = read_server(server, ca_file=ca_file, insecure_http=insecure_http)
    prepare_home(home)
    bar = ProgressBar(label("cli.dhis2.progress"))
    result = pull_from(home, at, wish, full=full, progress=bar)
    bar.close()
    if as_json:
        print_json(result.as_dict())
    else:
        _say_pulled(result)
    return 1 if result.failed else 0


def _say_pulled(result: Any) -> None:
    if result.resumed:
        click.echo(label("cli.dhis2.resumed"))
    if result.since:
        click.echo(label("cli.dhis2.since_last", day=result.since))
    numbers = {name: format_number(getattr(result, name)) for name in ("answers", "rows", "requests", "deleted")}
    click.echo(label("cli.dhis2.pulled", seconds=format_number(result.seconds, 1), **numbers))
    if result.repeated + result.unchanged:
        click.echo(label("cli.dhis2.nothing_new", count=format_number(result.repeated + result.unchanged)))
    files = [row for row in result.received.files if row["status"] == "read"]
    counts = {name: format_number(sum(row[name] for row in files)) for name in ("received", "landed", "quarantined")}
    click.echo(label("cli.dhis2.received", files=format_number(len(files)), **counts))
    for what, period, units, sentence in result.failed:
        click.echo(label("cli.dhis2.failed", what=what, period=period or "–", units=units, problem=sentence))


@dhis2.command(help=label("cli.dhis2.push"))
@_server_options
@click.option("--file", "file", type=click.Path(path_type=Path), default=None, help=label("cli.dhis2.file"))
@click.option("--release", default=None, help=label("cli.dhis2.release"))
@click.option("--dataset", "datasets", multiple=True, help=label("cli.dhis2.dataset"))
@click.option("--period", "periods", multiple=True, help=label("cli.dhis2.push_period"))
@click.option("--unit", "units", multiple=True, help=label("cli.dhis2.push_unit"))
@click.option("--yes", is_flag=True, help=label("cli.dhis2.yes"))
@click.option("--payload", default="", help=label("cli.dhis2.payload"))
@click.option("--with-conflicts", is_flag=True, help=label("cli.dhis2.with_conflicts"))
@home_option
@json_option
def push(
    server: str, ca_file: Path | None, insecure_http: bool, file: Path | None, release: str | None,
    datasets: tuple[str, ...], periods: tuple[str, ...], units: tuple[str, ...], yes: bool, payload: str,
    with_conflicts: bool, home: Path, as_json: bool,
) -> int:  # fmt: skip
    from tkyt_analysis.gateway.push import push as push_to
    from tkyt_analysis.gateway.server import read_server

    if (file is None) == (release is None):
        raise InputError("error.push_source")
    at = read_server(server, ca_file=ca_file, insecure_http=insecure_http)
    values = _values(home, at, file, release, datasets, periods, units)
    bar = ProgressBar(label("cli.dhis2.push_progress"))

    def confirm(tried: Any) -> bool:
        bar.close()
        if not as_json:
            _say_summary("cli.dhis2.tried", tried.tried, tried)
        return yes or (sys.stdin.isatty() and not as_json and click.confirm(label("cli.dhis2.confirm")))

    result = push_to(home, at, values, confirm=confirm, payload=payload, with_conflicts=with_conflicts, progress=bar)
    bar.close()
    if as_json:
        print_json(result.as_dict())
    elif result.sent:
        _say_summary("cli.dhis2.sent", result.sent, result)
    else:
        click.echo(label("cli.dhis2.only_tried", payload=result.payload))
    return 1 if (result.sent or result.tried).conflicts else 0


def _values(
    home: Path, server: Any, file: Path | None, release: str | None, datasets: tuple[str, ...], periods: tuple[str, ...],
    units: tuple[str, ...],
) -> list[dict[str, str]]:  # fmt: skip
    from tkyt_analysis.gateway.client import Gateway
    from tkyt_analysis.gateway.payload import read_file, read_release
    from tkyt_analysis.gateway.plan import attribute_combos

    if file is not None:
        return read_file(file)
    with Gateway(server) as gateway:
        attributes = attribute_combos(gateway)
    name = None if release in (None, "", "latest") else release
    return read_release(home, name, datasets=datasets, periods=periods, units=units, attributes=attributes)


def _say_summary(key: str, summary: Any, result: Any) -> None:
    counts = {name: format_number(count) for name, count in summary.counts.items()}
    conflicts = format_number(len(summary.conflicts))
    values = format_number(result.values)
    click.echo(label(key, values=values, payload=result.payload, conflicts=conflicts, **counts))
    for conflict in summary.conflicts[:20]:
        click.echo("  " + conflict.sentence())
    if len(summary.conflicts) > 20:
        click.echo(label("cli.dhis2.more_conflicts", count=format_number(len(summary.conflicts) - 20)))


@dhis2.command("log", help=label("cli.dhis2.log"))
@click.option("--last", default=20, show_default=True, help=label("cli.dhis2.last"))
@home_option
@json_option
def log(last: int, home: Path, as_json: bool) -> None:
    from tkyt_analysis.gateway.log import extractions, runs

    made, stamped = runs(home, last=last), extractions(home, last=last)
    if as_json:
        print_json({"runs": made, "extractions": stamped})
        return
    if not made:
        click.echo(label("cli.dhis2.log_empty"))
        return
    names = ("run", "server", "who", "state", "answers", "rows", "failed", "waiting")
    print_table(
        [label(f"gateway.column.{name}") for name in names],
        [
            [row["run_id"], row["server"], row["who"], label(f"gateway.state.{row['state']}"),
             *(format_number(row[name]) for name in names[4:])]
            for row in made
        ],
        numbers=range(4, 8),
    )  # fmt: skip
    click.echo("")
    shown = ("asked_at", "who", "end_point", "period", "rows", "approval", "sha256")
    print_table(
        [label(f"gateway.column.{name}") for name in shown],
        [
            [row["asked_at"], row["who"], row["end_point"], row["period"] or "–", format_number(row["rows"]),
             row["approval"] or label("gateway.no_approval"), row["sha256"][:12]]
            for row in stamped
        ],
        numbers=(4,),
    )  # fmt: skip


@dhis2.command("practice-server", help=label("cli.dhis2.practice_server"))
@click.argument("practice", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--port", default=8842, show_default=True, help=label("cli.port"))
@click.option("--fault", "faults", multiple=True, metavar="KIND[:PATH[:TIMES]]", help=label("cli.dhis2.fault"))
def practice_server(practice: Path, port: int, faults: tuple[str, ...]) -> None:
    import time

    from tkyt_analysis.practice.stub_dhis2 import FAULTS, Fault, StubServer, practice_store
    from tkyt_analysis.practice.stub_dhis2.server import TOKEN

    chosen = [text.split(":") for text in faults]
    unknown = [parts[0] for parts in chosen if parts[0] not in FAULTS or (len(parts) > 2 and not parts[2].isdigit())]
    if unknown:
        raise InputError("error.stub_fault", found=", ".join(unknown), known=", ".join(FAULTS))
    misbehaviour = [
        Fault(kind, path=(rest[0] if rest else "dataValueSets"), times=int(rest[1]) if len(rest) > 1 else 1)
        for kind, *rest in chosen
    ]
    folder = practice / "received" if (practice / "received").is_dir() else practice
    if not (folder / "dhis2" / "metadata.json").is_file():
        raise InputError("error.stub_no_data", folder=folder)
    with StubServer(practice_store(folder), port=port) as server:
        server.misbehave(*misbehaviour)
        click.echo(label("cli.dhis2.practice_ready", url=server.url, token=TOKEN))
        while True:
            time.sleep(3600)
