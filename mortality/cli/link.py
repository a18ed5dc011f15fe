"""`tkyt deaths link`: a CSV of records linked into a CSV of pairs; without a file, the records of the warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.terminal import ProgressBar, home_option, json_option, print_json
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label

SHOWN_SHARES = (("ceiling", "linkage.ceiling"), ("exact_ceiling", "linkage.exact_ceiling"))


@click.command("link", help=label("cli.deaths.link"))
@click.argument("source", metavar="[IN.csv]", required=False, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help=label("cli.deaths.link.output"))
@click.option("--min", "minimum", type=float, default=0.5, show_default=True, help=label("cli.deaths.link.min"))
@click.option("--truth", type=click.Path(path_type=Path), help=label("cli.deaths.link.truth"))
@home_option
@json_option
def link(
    source: Path | None, output: Path | None, minimum: float, truth: Path | None, home: Path, as_json: bool
) -> None:
    if source is None:
        from mortality.cli.review import link_warehouse

        link_warehouse(home, as_json)
        return
    if output is None:
        raise InputError("error.link_no_output", file=source.name)
    from mortality.linkage.file import link_file

    bar = ProgressBar(label("linkage.progress"))
    result = link_file(source, output, minimum=minimum, truth=truth, progress=bar)
    bar.close()
    if as_json:
        print_json(result)
        return
    for line in sentences(result, minimum):
        click.echo(line)


def sentences(result: dict[str, Any], minimum: float) -> list[str]:
    """The result of `link_file` in words."""
    numbers = {name: format_number(result[name]) for name in ("records", "candidate_pairs", "linked_pairs")}
    lines = [label("linkage.done", **numbers, minimum=format_number(minimum, 2), file=result["file"])]
    if result["numbered"]:
        lines.append(label("linkage.numbered"))
    for name, key in SHOWN_SHARES:
        if result.get(name) is not None:
            lines.append(label(key, share=format_number(100 * result[name], 1)))
    if result["ceiling"] is None:
        lines.append(label("linkage.no_ceiling"))
    if result["left_out"]:
        lines.append(label("linkage.left_out", rules=", ".join(result["left_out"])))
    if result.get("precision") is not None and result.get("recall") is not None:
        shares = {name: format_number(100 * result[name], 2) for name in ("precision", "recall")}
        lines.append(label("linkage.against_truth", **shares, true_pairs=format_number(result["true_pairs"])))
    return lines
