"""Commands of custody: backup, restore, verify."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.terminal import ProgressBar, home_option, json_option, print_json, print_table
from tkyt_analysis.labels import format_number, label


@click.command(help=label("cli.backup"))
@click.option("--to", "target", required=True, metavar="PATH|user@host:/path", help=label("cli.backup.to"))
@click.option("--quick", is_flag=True, help=label("cli.backup.quick"))
@click.option("--keep-all", is_flag=True, help=label("cli.backup.keep_all"))
@click.option("--schedule", type=click.Choice(["daily"]), default=None, help=label("cli.backup.schedule"))
@click.option("--list", "listing", is_flag=True, help=label("cli.backup.list"))
@home_option
@json_option
def backup(
    target: str, quick: bool, keep_all: bool, schedule: str | None, listing: bool, home: Path, as_json: bool
) -> None:
    if schedule:
        _schedule(home, _absolute(target), as_json)
    elif listing:
        _list(home, target, as_json)
    else:
        _run(home, target, quick, keep_all, as_json)


def _absolute(target: str) -> str:
    """A folder is written into a schedule with its full path."""
    return target if ":" in target else str(Path(target).expanduser().absolute())


def _run(home: Path, target: str, quick: bool, keep_all: bool, as_json: bool) -> None:
    from tkyt_analysis.warehouse.backup import backup as make_backup

    bar = ProgressBar(label("cli.backup.progress"))
    done = make_backup(home, target, quick=quick, keep_all=keep_all, progress=bar)
    bar.close()
    if as_json:
        print_json(done.as_dict())
        return
    numbers: dict[str, Any] = {
        "files": format_number(done.files),
        "size": _megabytes(done.size_bytes),
        "sent": _megabytes(done.sent_bytes),
        "pieces": format_number(done.sent_pieces),
        "read_back": format_number(done.read_back),
    }
    click.echo(label("cli.backup.done", backup=done.backup_id, target=done.target, **numbers))
    if done.sent_again:
        click.echo(label("cli.backup.sent_again", count=format_number(done.sent_again)))
    if done.removed_backups:
        click.echo(label("cli.backup.removed", count=format_number(done.removed_backups)))
    click.echo(label("cli.backup.key", key=done.key_file))


def _megabytes(size: int) -> str:
    return format_number(size / 1e6, 1)


def _schedule(home: Path, target: str, as_json: bool) -> None:
    from tkyt_analysis.warehouse.backup_schedule import write_schedule

    written = write_schedule(home, target)
    if as_json:
        print_json(written)
        return
    folder = written["crontab.txt"].parent
    click.echo(label("cli.backup.scheduled", folder=folder, cron=written["crontab.txt"].read_text("utf-8").strip()))


def _list(home: Path, target: str, as_json: bool) -> None:
    from tkyt_analysis.warehouse.backup import list_backups

    found = list_backups(home, target)
    if as_json:
        print_json(found)
        return
    rows = [
        [row["backup_id"], row["made_at"], format_number(row["files"]), _megabytes(row["size_bytes"])] for row in found
    ]
    print_table([label(f"column.{name}") for name in ("backup", "made_at", "files", "megabytes")], rows, numbers=(2, 3))


@click.command(help=label("cli.restore"))
@click.option("--from", "source", required=True, metavar="PATH|user@host:/path", help=label("cli.restore.from"))
@click.option("--to", "home", required=True, type=click.Path(path_type=Path), help=label("cli.restore.to"))
@click.option("--backup", "backup_id", default=None, help=label("cli.restore.backup"))
@click.option("--key", type=click.Path(path_type=Path), default=None, help=label("cli.restore.key"))
@json_option
def restore(source: str, home: Path, backup_id: str | None, key: Path | None, as_json: bool) -> int:
    from tkyt_analysis.verify import verify as check_home
    from tkyt_analysis.warehouse.restore import restore as take_back

    bar = ProgressBar(label("cli.restore.progress"))
    done = take_back(source, home, backup_id=backup_id, key=key, progress=bar)
    bar.close()
    on_postgres = os.environ.pop("TKYT_CATALOG", "")  # a restored home has its catalog in itself
    checks = check_home(Path(done.home))
    bad = [check for check in checks if not check.good]
    if as_json:
        print_json({**done.as_dict(), "checks": [check.as_dict() for check in checks]})
        return 3 if bad else 0
    said = {"files": format_number(done.files), "size": _megabytes(done.size_bytes)}
    click.echo(label("cli.restore.done", backup=done.backup_id, made_at=done.made_at, home=done.home, **said))
    _say(checks)
    click.echo(label("cli.restore.next", home=done.home))
    if on_postgres:
        click.echo(label("cli.restore.was_postgres", home=done.home))
    return 3 if bad else 0


@click.command(help=label("cli.verify"))
@click.option("--seal", is_flag=True, help=label("cli.verify.seal"))
@home_option
@json_option
def verify(seal: bool, home: Path, as_json: bool) -> int:
    from tkyt_analysis.verify import seal_older_files
    from tkyt_analysis.verify import verify as check_home

    sealed = seal_older_files(home) if seal else 0
    bar = ProgressBar(label("cli.verify.progress"))
    checks = check_home(home, progress=bar)
    bar.close()
    bad = [check for check in checks if not check.good]
    if as_json:
        print_json({"sealed": sealed, "checks": [check.as_dict() for check in checks]})
        return 1 if bad else 0
    if sealed:
        click.echo(label("cli.verify.sealed", count=format_number(sealed)))
    _say(checks)
    click.echo(label("cli.verify.bad" if bad else "cli.verify.good", home=home))
    return 1 if bad else 0


def _say(checks: list[Any]) -> None:
    for check in checks:
        click.echo(("  ✓ " if check.good else "  ✗ ") + check.sentence())
        for line in (*check.problems, *check.remarks):
            click.echo("      " + line)
