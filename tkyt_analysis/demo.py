"""`tkyt demo`: the whole flow on practice data, saying what it does, what was made and what was found."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tkyt_analysis.cli.terminal import ProgressBar
from tkyt_analysis.errors import UsageError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.warehouse.lake import is_practice
from tkyt_analysis.warehouse.release import Release

Say = Callable[[str], Any]
STAGES = ("practice", "ingest", "steps", "check", "publish", "reports", "portal")


def run_demo(home: Path, *, scale: str = "commune", seed: int = 20261122, say: Say | None = None) -> dict[str, Any]:
    """Practice data → ingest → coding → checks → release → reports → portal, in `home`; figures and links of the result.

    At national scale only the practice data are made: checking 300 million values is the work of a later stage.
    A home that holds other than practice data is refused. Run again, it goes on where it stopped and changes nothing
    that is done.
    """
    home = Path(home)
    if home.exists() and any(home.iterdir()) and not is_practice(home) and not (home / "practice").exists():
        raise UsageError("error.demo_home_in_use", home=home)
    speak = say or (lambda line: None)
    speak(label("demo.start", None, home=home))
    speak(label("practice.note"))
    outcome: dict[str, Any] = {"home": str(home), "scale": scale, "seconds": {}}
    for number, stage in enumerate(STAGES, start=1):
        started = time.monotonic()
        bar = ProgressBar(label(f"demo.{stage}"))
        outcome[stage] = RUN[stage](home, scale, seed, bar)
        bar.close()
        outcome["seconds"][stage] = round(time.monotonic() - started, 1)
        done = label(f"demo.{stage}_done", None, **outcome[stage]["said"])
        speak(f"[{number}/{len(STAGES)}] {done}  ({format_number(outcome['seconds'][stage], 1)} s)")
        if scale == "national" and stage == "practice":
            speak(label("demo.national_stops", None, directory=home / "practice"))
            return outcome
    for line in closing(home, outcome):
        speak(line)
    return outcome


def _practice(home: Path, scale: str, seed: int, bar: ProgressBar) -> dict[str, Any]:
    from tkyt_analysis.practice.generate import make_practice_data

    directory = home / "practice"
    if not (directory / "DONE").exists():
        import shutil

        shutil.rmtree(directory, ignore_errors=True)
        make_practice_data(
            scale, directory, seed=seed, progress=lambda what, share: bar(round(1000 * share), 1000, what)
        )
        (directory / "DONE").write_text(f"{scale} {seed}\n", "ascii")
    files = [path for path in (directory / "received").rglob("*") if path.is_file()]
    return {"said": {"files": format_number(len(files)), "directory": directory}}


def _ingest(home: Path, scale: str, seed: int, bar: ProgressBar) -> dict[str, Any]:
    from tkyt_analysis.ingest.receive import ingest
    from tkyt_analysis.pipeline import prepare_home
    from tkyt_analysis.status import home_status

    prepare_home(home, practice=True)
    ingest(home, [home / "practice" / "received"], progress=bar)
    found = home_status(home)
    numbers = {name: format_number(found[name]) for name in ("files", "received", "landed", "quarantined")}
    return {"said": numbers, **{name: found[name] for name in ("files", "received", "landed", "quarantined")}}


def _steps(home: Path, scale: str, seed: int, bar: ProgressBar) -> dict[str, Any]:
    from tkyt_analysis.pipeline import run_steps

    done = run_steps(home, bar)
    coded = next((one for one in done.values() if "deaths" in one), {})
    said = {name: format_number(coded.get(name, 0)) for name in ("deaths", "auto", "review", "uncodable")}
    return {"said": said, "steps": done}


def _check(home: Path, scale: str, seed: int, bar: ProgressBar) -> dict[str, Any]:
    from tkyt_analysis.pipeline import check_warehouse

    summary = check_warehouse(home, progress=bar)
    findings = sum(row["findings"] for row in summary)
    return {
        "said": {"findings": format_number(findings), "rules": len(summary)},
        "findings": findings,
        "rules": summary,
    }


def _publish(home: Path, scale: str, seed: int, bar: ProgressBar) -> dict[str, Any]:
    from tkyt_analysis.warehouse.release import publish

    release = publish(home, progress=bar)
    return {"said": {"release": release.release_id, "tables": len(release.tables())}, "release": release.release_id}


def _reports(home: Path, scale: str, seed: int, bar: ProgressBar) -> dict[str, Any]:
    from tkyt_analysis.reports.runner import run_report

    wanted = demo_reports(Release(home))
    made = []
    for number, (name, parameters) in enumerate(wanted):
        bar(number, len(wanted), name)
        made.append(run_report(home, name, parameters).html)
    return {"said": {"count": len(made)}, "files": [str(path) for path in made]}


def demo_reports(release: Release) -> list[tuple[str, dict[str, Any]]]:
    """The reports that practice data can show: quality of the last month before and after the reform, deaths of the last year."""
    province = release.query(
        "SELECT scope FROM reporting WHERE scope LIKE 'VN2025-%' GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    )
    place = str(province["scope"].iloc[0]).replace("-", ":")
    months = release.query(
        "SELECT max(period_id) AS last, max(period_id) FILTER (period_id <= '202506') AS before FROM reporting"
    ).iloc[0]
    year = release.query("SELECT max(year) AS last FROM death WHERE year IS NOT NULL AND excluded = ''")["last"].iloc[0]
    return [
        ("data_quality_monthly", {"place": place, "period": str(months["before"])}),
        ("data_quality_monthly", {"place": place, "period": str(months["last"])}),
        ("deaths_annual", {"place": place, "year": int(year)}),
    ]


def _portal(home: Path, scale: str, seed: int, bar: ProgressBar) -> dict[str, Any]:
    from tkyt_analysis.portal.build import build_portal

    path = build_portal(home)
    return {"said": {"path": path}, "path": str(path)}


RUN: dict[str, Callable[[Path, str, int, ProgressBar], dict[str, Any]]] = {
    "practice": _practice,
    "ingest": _ingest,
    "steps": _steps,
    "check": _check,
    "publish": _publish,
    "reports": _reports,
    "portal": _portal,
}


def closing(home: Path, outcome: dict[str, Any]) -> list[str]:
    """What was found of what was planted, and the links to open."""
    release = Release(home)
    lines = [""]
    if release.has("truth_score"):
        scores = release.query(
            "SELECT sum(planted) AS planted, sum(found) AS found FROM truth_score WHERE has_check AND is_error = 'yes'"
        ).iloc[0]
        without = release.query("SELECT count(*) AS kinds FROM truth_score WHERE NOT has_check")["kinds"].iloc[0]
        lines.append(
            label(
                "demo.found",
                None,
                found=format_number(scores["found"]),
                planted=format_number(scores["planted"]),
                without=without,
            )
        )
    lines.append(label("demo.open"))
    links = [*(Path(file) for file in outcome["reports"]["files"]), Path(outcome["portal"]["path"])]
    lines += [f"  {link.as_uri()}" for link in links]
    lines.append(label("demo.next", None, home=home))
    return lines
