"""`tkyt key` (status, rotate) and `tkyt migrate`."""

from __future__ import annotations

from pathlib import Path

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json
from tkyt_analysis.labels import format_number, label


@click.group(help=label("cli.key"))
def key() -> None:
    """The group itself does nothing."""


@key.command("status", help=label("cli.key.status"))
@home_option
@json_option
def status(home: Path, as_json: bool) -> None:
    from tkyt_analysis.warehouse.key_rotation import key_status

    found = key_status(home)
    if as_json:
        print_json(found)
        return
    place = "TKYT_KEY" if found["from_environment"] else found["key_file"]
    if not found["present"]:
        click.echo(label("error.key_missing", path=place, home=home))
        return
    click.echo(label("cli.key.master", path=place, mark=found.get("master", "–")))
    if found["ring"] is None:
        click.echo(label("cli.key.no_ring"))
    for purpose, day in found.get("made", {}).items():
        click.echo("  " + label("cli.key.made", purpose=label(f"key.purpose.{purpose}"), day=day))
    for path in found["retired"]:
        click.echo(label("cli.key.retired", path=path))


@key.command("rotate", help=label("cli.key.rotate"))
@click.option("--restricted", is_flag=True, help=label("cli.key.rotate.restricted"))
@click.option("--new-key", type=click.Path(path_type=Path), default=None, help=label("cli.key.rotate.new_key"))
@home_option
@json_option
def rotate(restricted: bool, new_key: Path | None, home: Path, as_json: bool) -> None:
    from tkyt_analysis.warehouse.key_rotation import rotate_master, rotate_restricted

    if restricted:
        rows = rotate_restricted(home)
        said = label("cli.key.restricted_done", rows=format_number(rows))
        result: dict[str, object] = {"rotated": "restricted", "rows": rows}
    else:
        path = rotate_master(home, new_key=new_key)
        said = label("cli.key.master_done", path=path)
        result = {"rotated": "master", "key_file": path}
    if as_json:
        print_json(result)
    else:
        click.echo(said)


@click.command(help=label("cli.migrate"))
@click.option("--to", "to", required=True, metavar="sqlite|postgres:…", help=label("cli.migrate.to"))
@home_option
@json_option
def migrate(to: str, home: Path, as_json: bool) -> None:
    from tkyt_analysis.warehouse.migrate import migrate as move

    moved = move(home, to)
    if as_json:
        print_json(moved.as_dict())
        return
    click.echo(
        label(
            f"cli.migrate.done_{moved.to}",
            home=home,
            tables=format_number(moved.tables),
            rows=format_number(moved.rows),
            snapshots=format_number(moved.snapshots),
            seconds=format_number(moved.seconds, 1),
        )
    )
