"""The core's commands. Each is a thin door: options → a Python function → what it says to people or machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.report_batch import batch
from tkyt_analysis.cli.terminal import ProgressBar, as_of_option, home_option, json_option, print_json, print_table
from tkyt_analysis.cli.watch import watch_instead, watch_options
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.modules import load_object, parts


class PluginGroup(click.Group):
    """A group that also has the commands of the installed modules, loaded only when asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *parts("commands")})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        found = super().get_command(context, name)
        reference = parts("commands").get(name)
        return found or (load_object(reference) if reference else None)


@click.group(cls=PluginGroup, help=label("cli.tkyt"), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tkyt", prog_name="tkyt", message="%(prog)s %(version)s")
def tkyt() -> None:
    """The group itself does nothing."""


@tkyt.command(help=label("cli.init"))
@click.option("--practice", is_flag=True, help=label("cli.init.practice"))
@home_option
@json_option
def init(practice: bool, home: Path, as_json: bool) -> None:
    from tkyt_analysis.pipeline import prepare_home
    from tkyt_analysis.warehouse.keys import key_file

    new = prepare_home(home, practice=practice)
    if as_json:
        print_json({"home": home, "new": new, "key_file": key_file(home)})
        return
    click.echo(label("cli.init.done" if new else "cli.init.was_there", home=home))
    click.echo(label("cli.init.key", key=key_file(home)))


@tkyt.command(help=label("cli.ingest"))
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--retry", is_flag=True, help=label("cli.ingest.retry"))
@watch_options
@home_option
@json_option
def ingest(paths: tuple[Path, ...], retry: bool, home: Path, as_json: bool, **watching: Any) -> None:
    if watch_instead(home, paths, as_json=as_json, **watching):
        return
    from tkyt_analysis.ingest.receive import ingest as receive
    from tkyt_analysis.labels import current_language
    from tkyt_analysis.pipeline import prepare_home

    prepare_home(home)
    bar = ProgressBar(label("cli.ingest.progress"))
    result = receive(home, paths, language=current_language(), progress=bar, retry=retry)
    bar.close()
    if as_json:
        print_json(
            {
                "files": result.files,
                **{name: result.total(name) for name in ("received", "landed", "quarantined", "notes")},
            }
        )
        return
    print_ingest(home, result)


def print_ingest(home: Path, result: Any) -> None:
    """Figures per door, then the reasons of quarantine with an example each."""
    from tkyt_analysis.ingest.summary import door_name, quarantine_examples, totals_by_door

    read = [row for row in result.files if row["status"] == "read"]
    click.echo(label("cli.ingest.done", read=len(read), known=len(result.files) - len(read)))
    rows = [
        [
            door_name(door),
            *(format_number(counts[name]) for name in ("files", "received", "landed", "quarantined", "notes")),
        ]
        for door, counts in totals_by_door(read).items()
    ]
    print_table(
        [label(f"column.{name}") for name in ("door", "files", "received", "landed", "quarantined", "notes")],
        rows,
        numbers=range(1, 6),
    )
    for count, sentence in quarantine_examples(home, [row["sha256"] for row in read]):
        click.echo(f"  {format_number(count)} × {sentence}")


@tkyt.command(help=label("cli.status"))
@as_of_option
@home_option
@json_option
def status(as_of: int | str | None, home: Path, as_json: bool) -> None:
    from tkyt_analysis.status import home_status

    found = home_status(home, as_of=as_of)
    if as_json:
        print_json(found)
        return
    for line in found["sentences"]:
        click.echo(line)


@tkyt.command(help=label("cli.check"))
@click.option(
    "--fail-on", type=click.Choice(["error", "warning", "note"]), default=None, help=label("cli.check.fail_on")
)
@click.option("--rules", multiple=True, help=label("cli.check.rules"))
@click.option("--scope", default=None, help=label("cli.check.scope"))
@click.option("--period", default=None, help=label("cli.check.period"))
@click.option("--budget", type=click.IntRange(min=1), default=None, help=label("cli.check.budget"))
@home_option
@json_option
def check(
    fail_on: str | None,
    rules: tuple[str, ...],
    scope: str | None,
    period: str | None,
    budget: int | None,
    home: Path,
    as_json: bool,
) -> int:
    from tkyt_analysis.pipeline import check_warehouse, run_steps

    bar = ProgressBar(label("cli.check.progress"))
    if not rules:
        run_steps(home, bar)
    summary = check_warehouse(home, rules=rules or None, scope=scope, period=period, progress=bar)
    bar.close()
    if as_json and budget:
        from tkyt_analysis.quality.asked import first_questions

        print_json({"rules": summary, **first_questions(home, budget=budget, scope=scope, period=period)})
    elif as_json:
        print_json(summary)
    else:
        _print_rules(summary)
        _print_first_questions(home, budget, scope, period)
    levels = {"error": ("error",), "warning": ("error", "warning"), "note": ("error", "warning", "note")}
    failing = fail_on and any(row["findings"] for row in summary if row["severity"] in levels[fail_on])
    return 1 if failing else 0


def _print_rules(summary: list[dict[str, Any]]) -> None:
    """The rules that found or could not judge something; of the others only how many there are."""
    click.echo(label("cli.check.done", count=format_number(sum(row["findings"] for row in summary))))
    telling = [row for row in summary if row["findings"] or row["not_assessable"]]
    print_table(
        [label(f"column.{name}") for name in ("rule", "severity", "findings", "not_assessable")],
        [
            [
                row["title"],
                label(f"severity.{row['severity']}"),
                format_number(row["findings"]),
                format_number(row["not_assessable"]),
            ]
            for row in telling
        ],
        numbers=(2, 3),
    )
    silent = sum(1 for row in summary if row["judged"] and row not in telling)
    idle = sum(1 for row in summary if not row["judged"] and row not in telling)
    click.echo(label("cli.check.silent", silent=format_number(silent), idle=format_number(idle)))


def _print_first_questions(home: Path, budget: int | None, scope: str | None, period: str | None) -> None:
    """What to ask first, and how much of it will be a false alarm."""
    from tkyt_analysis.quality.asked import first_questions

    found = first_questions(home, budget=budget, scope=scope, period=period, most=5)
    if not found["cases"]:
        return
    numbers = {name: format_number(found[name]) for name in ("cases", "asked", "unknown")}
    click.echo(label("cli.check.asked", **numbers, false=format_number(found["expected_false"], 1)))
    for question in found["questions"]:
        place = "" if question["unit"] in question["question"] else f"{question['unit']}, {question['period_id']}: "
        click.echo(f"  • {place}{question['question']}")


@tkyt.command(help=label("cli.publish"))
@as_of_option
@home_option
@json_option
def publish(as_of: int | str | None, home: Path, as_json: bool) -> None:
    from tkyt_analysis.warehouse.release import publish as make_release

    bar = ProgressBar(label("cli.publish.progress"))
    release = make_release(home, as_of=as_of, progress=bar)
    bar.close()
    if as_json:
        print_json(release.manifest)
        return
    if as_of is not None:
        click.echo(label("cli.publish.not_current"))
    click.echo(
        label("cli.publish.done", release=release.release_id, tables=len(release.tables()), directory=release.directory)
    )


@tkyt.command(help=label("cli.explain"))
@click.argument("figure")
@click.option("--release", default=None, help=label("cli.release"))
@click.option("--rows", default=10, show_default=True, help=label("cli.explain.rows"))
@home_option
@json_option
def explain(figure: str, release: str | None, rows: int, home: Path, as_json: bool) -> None:
    from tkyt_analysis.warehouse.explain import explain as walk_back

    found = walk_back(home, figure, release_id=release)
    if as_json:
        print_json(found.as_dict(rows))
        return
    for line in found.sentences(rows):
        click.echo(line)


@tkyt.command(help=label("cli.practice"))
@click.option(
    "--scale",
    type=click.Choice(["commune", "province", "national"]),
    default="commune",
    show_default=True,
    help=label("cli.scale"),
)
@click.option("--seed", default=20261122, show_default=True, help=label("cli.seed"))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help=label("cli.practice.output"))
@json_option
def practice(scale: str, seed: int, output: Path, as_json: bool) -> None:
    from tkyt_analysis.practice.generate import make_practice_data

    bar = ProgressBar(label("cli.practice.progress"))
    summary = make_practice_data(
        scale, output, seed=seed, progress=lambda what, share: bar(round(1000 * share), 1000, what)
    )
    bar.close()
    if as_json:
        print_json(summary.as_dict())
        return
    click.echo(label("cli.practice.done", directory=output))


@tkyt.group(help=label("cli.report"))
def report() -> None:
    """Reports."""


@report.command("list", help=label("cli.report.list"))
@json_option
def report_list(as_json: bool) -> None:
    from tkyt_analysis.reports.templates import report_templates

    templates = report_templates()
    if as_json:
        print_json([template.as_dict() for template in templates.values()])
        return
    print_table(
        [label("column.report"), label("column.title"), label("column.parameters")],
        [[one.id, one.title(), ", ".join(one.parameters)] for one in templates.values()],
    )


@report.command("run", help=label("cli.report.run"))
@click.argument("name")
@click.option("-p", "--parameter", "given", multiple=True, metavar="k=v", help=label("cli.report.parameter"))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=None, help=label("cli.report.output"))
@click.option("--release", default=None, help=label("cli.release"))
@home_option
@json_option
def report_run(
    name: str, given: tuple[str, ...], output: Path | None, release: str | None, home: Path, as_json: bool
) -> None:
    from tkyt_analysis.reports.runner import run_report
    from tkyt_analysis.reports.templates import parse_parameters

    made = run_report(home, name, parse_parameters(given), release_id=release, output=output)
    if as_json:
        print_json(made.as_dict())
        return
    click.echo(label("cli.report.done", path=made.html))


report.add_command(batch)


@tkyt.command(help=label("cli.demo"))
@click.option(
    "--scale",
    type=click.Choice(["commune", "province", "national"]),
    default="commune",
    show_default=True,
    help=label("cli.scale"),
)
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    default=Path("~/tkyt-practice"),
    show_default=True,
    help=label("cli.home"),
)
@click.option("--seed", default=20261122, show_default=True, help=label("cli.seed"))
@json_option
def demo(scale: str, home: Path, seed: int, as_json: bool) -> None:
    from tkyt_analysis.demo import run_demo

    outcome = run_demo(home.expanduser().absolute(), scale=scale, seed=seed, say=None if as_json else click.echo)
    if as_json:
        print_json(outcome)


@tkyt.command(help=label("cli.dashboards"))
@click.option("--port", default=8866, show_default=True, help=label("cli.port"))
@click.option("--no-browser", is_flag=True, help=label("cli.no_browser"))
@home_option
def dashboards(port: int, no_browser: bool, home: Path) -> None:
    from tkyt_analysis.dashboards.serve import serve

    serve(home, port=port, open_browser=not no_browser)


@tkyt.group(help=label("cli.catalog"))
def catalog() -> None:
    """The data catalog."""


@catalog.command("check", help=label("cli.catalog.check"))
@json_option
def catalog_check(as_json: bool) -> int:
    from tkyt_analysis.catalog import catalog_problems, catalog_version

    problems = catalog_problems()
    if as_json:
        print_json({"version": catalog_version(), "problems": problems})
    else:
        for problem in problems:
            click.echo(problem)
        click.echo(label("cli.catalog.checked", version=catalog_version(), count=len(problems)))
    return 2 if problems else 0


@tkyt.group(help=label("cli.portal"))
def portal() -> None:
    """The public portal."""


@portal.command("build", help=label("cli.portal.build"))
@home_option
def portal_build(home: Path) -> None:
    from tkyt_analysis.portal.build import build_portal

    click.echo(label("cli.portal.done", path=build_portal(home)))
