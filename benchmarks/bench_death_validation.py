"""Validation of death records against planted truth, and on real coded deaths; writes its tables into docs/death_practice.md.

Drawn books (A6 of 2025) and lists of certificates of several seeds go through import, linking and the rules on deaths as
`tkyt ingest` and `tkyt check` run them. Per rule: records asked, how many of them bear a kind that the rule says it
detects, another planted kind, nothing planted. Per kind: planted, found. Then the edits of certificates on the 5,050 real
coded deaths and WHO's CoDEdit example (TKYT_REFERENCE), and seconds for one book.
Usage: python benchmarks/bench_death_validation.py [--seeds 1 2] [--rows 10000] [--certificates 2000] [--profile light] [--without-link] [--markdown]
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import REPOSITORY, as_markdown, machine, scratch
from mortality.practice.big_book import DrawnBook, draw_book, draw_certificates
from mortality.practice.record_defects import HARMLESS
from tkyt_analysis.catalog import load_entries, read_codelist

PAGE = REPOSITORY / "docs" / "death_practice.md"
BOOK, CERTIFICATES = "A6_2025.xlsx", "PhieuNNTV.xlsx"
TABLES = {"death", "death_cause", "death_document", "death_identity"}
SEVERITY = {"error": 0, "warning": 1, "note": 2, "door": 3}
SAME_AS = "$.same_as"


def record_rules() -> tuple[str, ...]:
    """Rules about single deaths, also those that a whole run does not ask; not those that look for deaths on other lists."""
    rules = [rule for rule in load_entries("rules").values() if TABLES & set(rule.applies_to)]
    return tuple(rule.id for rule in rules if "death_share_" not in rule.id and "F3" not in rule.detects)


def measure(folder: Path, seed: int, rows: int, certificates: int, profile: str) -> tuple[pd.DataFrame, ...]:
    """planted (kind, file, row), asked (rule, file, row), and seconds of one seed."""
    from tkyt_analysis.ingest.receive import ingest
    from tkyt_analysis.pipeline import check_warehouse, prepare_home, run_steps
    from tkyt_analysis.warehouse.lake import Warehouse

    received, home = folder / f"received{seed}", folder / f"home{seed}"
    received.mkdir()
    book = draw_book(received / BOOK, rows, seed=seed, profile=profile)
    listed = draw_certificates(received / CERTIFICATES, certificates, seed=seed, profile=profile)
    prepare_home(home, practice=True)
    clock = {
        "import": _timed(lambda: ingest(home, [received])),
        "steps": _timed(lambda: run_steps(home)),
        "check": _timed(lambda: check_warehouse(home, rules=record_rules())),
    }
    with Warehouse(home) as warehouse:
        asked = asked_records(warehouse.query)
        landed = warehouse.query(
            "SELECT (SELECT count(*) FROM lake.death) AS landed, (SELECT count(*) FROM lake.quarantine) AS quarantined"
        )
    parts = [book.planted.assign(file=BOOK), listed.planted.assign(file=CERTIFICATES), _originals(book)]
    planted = pd.concat(parts, ignore_index=True)
    seconds = pd.DataFrame([{**clock, "rows": rows + certificates, **landed.iloc[0].to_dict()}])
    return planted.assign(seed=seed), asked.assign(seed=seed), seconds


def _originals(book: DrawnBook) -> pd.DataFrame:
    """The lines that stand twice, as element "original": to ask about them is right, but nothing is planted in them."""
    copies = book.planted[book.planted["kind"].isin(["F1", "F2"]) & (book.planted["element"] == "line")]
    rows = book.lines.set_index("line_id")["row_number"]
    first = copies["true_value"].map(rows)
    return pd.DataFrame({"kind": copies["kind"], "element": "original", "row_number": first, "file": BOOK})


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def asked_records(query: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """rule, file, row_number: every record that a finding, a note or the quarantine is about."""
    return query(
        f"""
        SELECT DISTINCT x.rule_id AS rule, r.file_name AS file, d.row_number FROM lake.finding x
            JOIN lake.death d ON d.death_id IN (json_extract_string(x.fields, '$.death_id'), json_extract_string(x.fields, '{SAME_AS}'))
            JOIN lake.received_file r ON r.file_sha256 = d.file_sha256
            WHERE x.fields LIKE '%death_id%' AND x.verdict NOT IN ('ok', 'not_assessable', 'shock')
        UNION SELECT note, file_name, row_number FROM lake.ingest_note JOIN lake.received_file USING (file_sha256)
        UNION SELECT reason, file_name, row_number FROM lake.quarantine JOIN lake.received_file USING (file_sha256)
        """
    ).assign(file=lambda rows: rows["file"].str.rpartition("/")[2])


def claims() -> pd.DataFrame:
    """rule, kind: what each rule says it detects, and the notes and reasons that defect_kinds names."""
    of_rules = [(rule.id, kind) for rule in load_entries("rules").values() for kind in rule.detects]
    kinds = read_codelist("defect_kinds")
    named = [
        (key, kind)
        for kind, keys in zip(kinds["kind"], kinds["looked_for_by"].str.split(), strict=True)
        for key in keys
    ]
    return pd.DataFrame(sorted({*of_rules, *named}), columns=["rule", "kind"])


def by_kind(planted: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """Per planted kind: planted and found records, recall, and the rules that found them."""
    place = ["seed", "file", "row_number"]
    rows = planted.loc[planted["element"] != "original", ["kind", *place]].drop_duplicates()
    met = rows.merge(asked, on=place).merge(claims(), on=["kind", "rule"])
    found = met[["kind", *place]].drop_duplicates().groupby("kind").size()
    rules = met.groupby("kind")["rule"].agg(lambda names: ", ".join(names.value_counts().index[:3]))
    table = rows.groupby("kind").size().rename("planted").to_frame()
    table = table.assign(found=found.reindex(table.index).fillna(0).astype(int))
    table = table.assign(
        recall=(table["found"] / table["planted"]).map("{:.3f}".format), rules=rules.reindex(table.index).fillna("–")
    )
    return table.reset_index()


def by_rule(planted: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """Per rule: records asked; of those with a kind that it detects, with another planted error, with nothing but habits
    (HARMLESS) or nothing at all."""
    place = ["seed", "file", "row_number"]
    known = claims()
    spoilt = planted[["kind", *place]].drop_duplicates()
    right = (
        asked.merge(spoilt, on=place)
        .merge(known, on=["rule", "kind"])[["rule", *place]]
        .drop_duplicates()
        .assign(right=1)
    )
    errors = spoilt.loc[~spoilt["kind"].isin(HARMLESS), place].drop_duplicates()
    other = asked.merge(errors, on=place).assign(other=1)
    rows = asked.merge(right, on=["rule", *place], how="left").merge(other, on=["rule", *place], how="left")
    rows["other"] = rows["other"].where(rows["right"].isna())
    sums = rows.assign(asked=1).groupby("rule")[["asked", "right", "other"]].sum().astype(int)
    sums["nothing"] = sums["asked"] - sums["right"] - sums["other"]
    sums["precision"] = (sums["right"] / sums["asked"]).map("{:.3f}".format)
    entries = load_entries("rules")
    sums["severity"] = [entries[name].severity if name in entries else "door" for name in sums.index]
    sums["detects"] = [" ".join(known.loc[known["rule"] == name, "kind"]) or "–" for name in sums.index]
    order = sums["severity"].map(SEVERITY)
    return (
        sums.reset_index()
        .assign(order=order.to_numpy())
        .sort_values(["order", "asked"], ascending=[True, False], ignore_index=True)
        .drop(columns="order")
    )


def real_records() -> pd.DataFrame:
    """Findings of edit_certificates on real coded deaths: per check the count in each set. Empty without the references."""
    from mortality.validation.certificate_edits import edit_certificates

    reference = Path(os.environ.get("TKYT_REFERENCE", REPOSITORY.parent / "shared" / "reference")) / "icd"
    if not (reference / "ucod_open.csv").exists():
        return pd.DataFrame()
    counts = {}
    for name, frame in (("real coded deaths", _coded_deaths(reference)), ("CoDEdit example", _codedit(reference))):
        found = edit_certificates(frame)
        counts[f"{name} ({len(frame):,})"] = found.groupby(["severity", "check"])["row"].nunique()
    table = pd.DataFrame(counts).fillna(0).astype(int).reset_index()
    order = table["severity"].map(SEVERITY)
    return table.assign(order=order).sort_values(["order", "check"], ignore_index=True).drop(columns="order")


def _coded_deaths(reference: Path) -> pd.DataFrame:
    rows = pd.read_csv(reference / "ucod_open.csv", dtype="str").fillna("")
    manner = rows["manner"].map({"homicide": "assault"}).fillna(rows["manner"])
    return rows.assign(underlying_cause=rows["ucod"], manner=manner)[
        [
            "id",
            "sex",
            "age_years",
            "age_value",
            "age_unit",
            "line_a",
            "line_b",
            "line_c",
            "line_d",
            "part2",
            "underlying_cause",
            "manner",
        ]
    ]


def _codedit(reference: Path) -> pd.DataFrame:
    rows = pd.read_csv(reference / "codedit_icd10_example_3613.csv", dtype="str").fillna("")
    sex = rows["Sex"].str.removesuffix(".0").map({"1": "male", "2": "female"}).fillna("")
    return pd.DataFrame(
        {
            "id": rows["FreeId"],
            "sex": sex,
            "age_value": rows["Age Value"],
            "age_unit": rows["Age Type"],
            "underlying_cause": rows["Code"],
        }
    )


def link_seconds(rows: int, seed: int) -> str:
    """Seconds of one linkage of a drawn list, and what came of it against the truth."""
    import duckdb

    from mortality.linkage.link import link_records
    from mortality.practice.link_lists import draw_link_list

    lists, truth = draw_link_list(rows, seed=seed)
    with duckdb.connect() as con:
        con.register("listed", lists.rename(columns={"id": "record_id", "birth_date": "birth"}))
        started = time.perf_counter()
        run = link_records(con, "listed", minimum=0.5)
        spent = time.perf_counter() - started
        found = con.execute(f"SELECT id_l, id_r FROM {run.pairs}").df()
    pairs = {frozenset(pair) for pair in found.itertuples(index=False)}
    right = sum(frozenset(pair) in pairs for pair in truth[["id_l", "id_r"]].itertuples(index=False))
    return (
        f"link_records: {len(lists):,} lines in {spent:.1f} s; {len(truth):,} true pairs, {right / len(truth):.3f} found, "
        f"{right / max(len(pairs), 1):.3f} of {len(pairs):,} pairs at 0.5 true"
    )


def main() -> None:
    """Measure, print, and with --markdown put the tables into docs/death_practice.md."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--certificates", type=int, default=2_000)
    parser.add_argument("--profile", default="light", choices=("light", "heavy"))
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--without-link", action="store_true", help="leave out the list that is linked on its own")
    args = parser.parse_args()
    with scratch() as folder:
        parts = [measure(Path(folder), seed, args.rows, args.certificates, args.profile) for seed in args.seeds]
    planted, asked, seconds = (pd.concat(tables, ignore_index=True) for tables in zip(*parts, strict=True))
    linked = "" if args.without_link else link_seconds(args.rows, args.seeds[0])
    seconds = seconds.round(1)
    report(
        args,
        {
            "kinds": by_kind(planted, asked),
            "rules": by_rule(planted, asked),
            "real": real_records(),
            "seconds": seconds,
        },
        linked,
    )


def report(args: argparse.Namespace, tables: dict[str, pd.DataFrame], linked: str) -> None:
    """Print the tables; with --markdown replace those of the page."""
    command = f"python benchmarks/bench_death_validation.py --seeds {' '.join(map(str, args.seeds))} --rows {args.rows} --certificates {args.certificates} --profile {args.profile}"
    command += " --without-link" if args.without_link else ""
    when = f"`{command}` — {datetime.date.today().isoformat()}; {machine()}"
    print(when, linked, *(f"\n== {name}\n{table.to_string(index=False)}" for name, table in tables.items()), sep="\n")
    if args.markdown:
        page = PAGE.read_text("utf-8")
        for name, table in tables.items():
            text = f"{when}\n\n{as_markdown(table)}\n" + (f"\n{linked}\n" if name == "seconds" and linked else "")
            start, end = f"<!-- {name} -->\n", f"<!-- end {name} -->"
            page = page[: page.index(start) + len(start)] + text + page[page.index(end) :]
        PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
