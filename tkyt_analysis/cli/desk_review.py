"""Commands of the desk review: `tkyt quality review` and `tkyt quality verification`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json, print_table
from tkyt_analysis.labels import format_number, label

MOST = 15  # units shown to people; --json has all


@click.group(help=label("cli.quality"))
def quality() -> None:
    pass


@quality.command(help=label("cli.quality.review"))
@click.option("--place", required=True, help=label("cli.quality.place"))
@click.option("--year", type=int, required=True, help=label("cli.quality.year"))
@click.option("--metric", "metrics", multiple=True, help=label("cli.quality.metric"))
@click.option("--review", "which", default="routine", show_default=True, help=label("cli.quality.which"))
@click.option("--release", "release_id", default=None, help=label("cli.quality.release"))
@home_option
@json_option
def review(
    place: str, year: int, metrics: tuple[str, ...], which: str, release_id: str | None, home: Path, as_json: bool
) -> None:
    from tkyt_analysis.quality.desk_review.view import DeskReviewView
    from tkyt_analysis.warehouse.release import Release

    view = DeskReviewView(Release(home, release_id), place, year, which)
    records = [row for row in view.records() if not metrics or row["metric"] in metrics]
    if as_json:
        print_json(records)
        return
    _print_review(view, metrics)


def _print_review(view: Any, metrics: tuple[str, ...]) -> None:
    from tkyt_analysis.quality.desk_review.words import names_text, reason_text, score_text

    rows = view.rows[view.rows["metric"].isin(metrics)] if metrics else view.rows
    judged = int((rows["status"] == "ok").sum())
    click.echo(label("cli.quality.heading", place=view.place_name, year=view.year, judged=judged, total=len(rows)))
    lines = []
    for row in rows.to_dict("records"):
        fine = row["status"] == "ok"
        lines.append(
            [
                row["metric"],
                view.subject_name(row["metric"], row["subject"]),
                score_text(row) if fine else "–",
                label("desk_review.of", part=row["diverging"], whole=row["subunits"])
                if fine and row["subunits"]
                else "–",
                format_number(None if row["beyond_noise"] != row["beyond_noise"] else row["beyond_noise"]),
                names_text(row, most=3)
                if fine
                else label("desk_review.text.not_assessable", reason=reason_text(row["reason"])),
            ]
        )
    columns = ("metric", "subject", "score", "diverging_units", "beyond_noise", "diverging_names")
    print_table([label(f"column.{name}") for name in columns], lines, numbers=(2, 3, 4))


@quality.command(help=label("cli.quality.verification"))
@click.argument("sample", type=click.Path(path_type=Path))
@click.option(
    "--by", type=click.Choice(["element", "period"]), default="element", show_default=True, help=label("cli.quality.by")
)
@click.option("--year", type=int, default=None, help=label("cli.quality.year"))
@json_option
def verification(sample: Path, by: str, year: int | None, as_json: bool) -> None:
    from tkyt_analysis.quality.desk_review.verification import (
        accepted_band,
        read_verification_sample,
        unit_factors,
        verification_factors,
    )

    rows, (lower, upper) = read_verification_sample(sample), accepted_band(year)
    factors = verification_factors(rows, by=(by,), lower=lower, upper=upper)
    units = unit_factors(rows, lower=lower, upper=upper)
    if as_json:
        print_json({"factors": _records(factors), "units": _records(units)})
        return
    click.echo(label("cli.quality.factors", lower=format_number(lower, 2), upper=format_number(upper, 2)))
    lines = [
        [
            row[by],
            format_number(row["units"], 0),
            format_number(row["reported"], 0),
            format_number(row["recounted"], 0),
            format_number(row["factor"], 3),
            f"{format_number(row['lower'], 3)}–{format_number(row['upper'], 3)}",
            label(f"desk_review.verification.{row['verdict']}"),
        ]
        for row in factors.to_dict("records")
    ]
    columns = (f"visited_{by}", "visited_units", "reported", "recounted", "factor", "limits", "verdict")
    print_table([label(f"column.{name}") for name in columns], lines, numbers=(1, 2, 3, 4, 5))
    click.echo(label("cli.quality.units"))
    farthest = [
        [row["unit"], row["element"], *(format_number(row[name], 0) for name in ("reported", "recounted")),
         format_number(None if row["factor"] == float("inf") else row["factor"], 2), label(f"desk_review.verification.{row['verdict']}")]
        for row in units.head(MOST).to_dict("records")
    ]  # fmt: skip
    headings = ("place", "visited_element", "reported", "recounted", "factor", "verdict")
    print_table([label(f"column.{name}") for name in headings], farthest, numbers=(2, 3, 4))


def _records(frame: Any) -> list[dict[str, Any]]:
    """Rows for machines: missing and infinite are null."""
    import numpy as np

    plain = frame.replace([np.inf, -np.inf], np.nan)
    return plain.astype(object).where(plain.notna(), None).to_dict("records")
