"""Certificates of a CSV on their whole way: edits, underlying cause, cause list. Blocks of rows; sums only are kept."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mortality.garbage.lists import GarbageList, load_garbage_list
from mortality.garbage.share import garbage_share, senility_by_age
from mortality.tabulation.cause_lists import DEFAULT_LIST, GAP, UNKNOWN, CauseList, load_cause_list
from mortality.tabulation.tables import tabulate_deaths, with_headings
from mortality.underlying_cause.profile import DEFAULT, RuleProfile
from mortality.validation.edit_summary import EditSummary
from tkyt_analysis.access.hiv import CODES

RESTRICTED_CHECK = "RESTRICTED"
REVIEW = ("reject:", "check:")
KEYS = ["sex", "age_years", "underlying_cause"]
GIVEN = ("ucod", "underlying_cause", "underlying_cause_as_given")


@dataclass
class CertificateRun:
    """What happened to the certificates of one file.

    causes : sex, age_years, underlying_cause ("" none) → deaths; edits : findings, groups, people of the edits
    paths : "SP3>M1" → certificates; rules : rule → certificates in which it was used; flags : flag → certificates
    given, same_code, same_category : certificates that brought an underlying cause along, and how often ours is the same
    """

    source: Path
    profile: RuleProfile
    decision_table: Path | None
    records: int = 0
    review: int = 0
    edits: EditSummary | None = None
    causes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=[*KEYS, "deaths"]))
    paths: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    given: int = 0
    same_code: int = 0
    same_category: int = 0
    sha256: str = ""

    def shown_causes(self, restricted: bool) -> pd.DataFrame:
        """The counts that a reader may see: without `restricted`, HIV looks like no code, in every figure alike."""
        return self.causes if restricted else withhold_hiv(self.causes)

    def with_cause(self, *, restricted: bool = True) -> int:
        """Certificates for which a code was found (and, without `restricted`, is not withheld)."""
        causes = self.shown_causes(restricted)
        return int(causes.loc[causes["underlying_cause"] != "", "deaths"].sum())

    def by_cause(self, list_id: str = DEFAULT_LIST, *, restricted: bool = True) -> tuple[CauseList, pd.DataFrame]:
        """(list, table of item, is_heading, male, female, unknown, total in the order of the list).

        Items, gap and unknown sum to the records. restricted : False counts HIV among the unknown, as releases do
        """
        causes = load_cause_list(list_id)
        counts = self.shown_causes(restricted)
        table = with_headings(tabulate_deaths(counts, causes, ["sex"], deaths_column="deaths"), causes, ["sex"])
        wide = table.pivot_table(
            index=["item", "is_heading"], columns="sex", values="deaths", aggfunc="sum", fill_value=0
        )
        wide = wide.reindex(columns=["male", "female", UNKNOWN], fill_value=0).astype("int64")
        order = {item: rank for rank, item in enumerate([*causes.items["item"], GAP, UNKNOWN])}
        wide = wide.assign(total=wide.sum(axis=1)).reset_index()
        return causes, wide.sort_values("item", key=lambda items: items.map(order), ignore_index=True)

    def outside(self, list_id: str = DEFAULT_LIST) -> pd.DataFrame:
        """code, item (gap | unknown), deaths of the codes that the list does not place."""
        item = load_cause_list(list_id).item_of(self.causes["underlying_cause"])
        rows = self.causes.assign(code=self.causes["underlying_cause"], item=item)
        counts = rows[item.isin([GAP, UNKNOWN])].groupby(["code", "item"], as_index=False)["deaths"].sum()
        return counts.sort_values(["deaths", "code"], ascending=[False, True], ignore_index=True)

    def garbage(self, listed: GarbageList | None = None, *, restricted: bool = True) -> pd.DataFrame:
        """The share of garbage codes (see `garbage_share`)."""
        counts = self.shown_causes(restricted)
        return garbage_share(counts, garbage=listed or load_garbage_list(), deaths_column="deaths")

    def findings(self, *, restricted: bool = True) -> pd.DataFrame:
        """check, severity, findings of the edits; without `restricted` not the check that names HIV."""
        found = self.edits.findings if self.edits else pd.DataFrame({"severity": [], "check": [], "findings": []})
        return found if restricted else found[found["check"] != RESTRICTED_CHECK]

    def old_age(self) -> pd.DataFrame:
        """Deaths of old age by age, with the mark below 60."""
        return senility_by_age(self.causes, deaths_column="deaths")


def withhold_hiv(causes: pd.DataFrame) -> pd.DataFrame:
    """The counts with the codes of HIV emptied."""
    of_hiv = causes["underlying_cause"].astype("str").str.match(CODES).astype(bool)
    return causes.assign(underlying_cause=causes["underlying_cause"].mask(of_hiv, ""))


def run_certificates(
    source: Path,
    *,
    profile: RuleProfile = DEFAULT,
    decision_table: Path | None = None,
    country: str = "VN",
    workers: int | None = None,
) -> CertificateRun:
    """Every certificate of a CSV (columns as `tkyt deaths underlying` takes them) through edits and selection.

    The edits judge the lines as written, and the underlying cause that was selected. A column ucod (or underlying_cause) is
    compared, never used. Raises InputError for a file that is no such CSV, or empty.
    """
    from mortality.underlying_cause.files import read_blocks, require_file
    from tkyt_analysis.errors import InputError

    require_file(decision_table, "error.ucod_table_missing")
    run = CertificateRun(Path(source), profile, decision_table)
    for block in read_blocks(Path(source)):
        _add(run, block, country, workers)
    if not run.records:
        raise InputError("error.certificates_none", file=source)
    run.sha256 = hashlib.sha256(Path(source).read_bytes()).hexdigest()
    return run


def _add(run: CertificateRun, block: pd.DataFrame, country: str, workers: int | None) -> None:
    """One block of rows: selected, edited, counted."""
    from mortality.underlying_cause.batch import select_underlying_causes
    from mortality.underlying_cause.files import FileSummary, check_rows, tidy

    frame = tidy(block)
    checks = check_rows(frame, FileSummary())
    chosen = select_underlying_causes(frame, profile=run.profile, decision_table=run.decision_table, workers=workers)
    chosen["flags"] = (chosen["flags"] + " " + checks).str.strip()
    _count_steps(run, chosen)
    _compare(run, frame, chosen["underlying_cause"])
    judged = frame.drop(columns=[name for name in GIVEN if name in frame]).replace("", pd.NA)
    judged = judged.assign(underlying_cause=chosen["underlying_cause"].replace("", pd.NA).to_numpy())
    part = _edited(judged, country)
    run.edits = part if run.edits is None else run.edits + part
    run.causes = _counted(run.causes, judged, chosen["underlying_cause"])
    run.records += len(frame)


def _edited(frame: pd.DataFrame, country: str) -> EditSummary:
    from mortality.validation.certificate_edits import edit_certificates
    from mortality.validation.edit_summary import summarise_edits

    return summarise_edits(frame, edit_certificates(frame, country=country), country=country)


def _count_steps(run: CertificateRun, chosen: pd.DataFrame) -> None:
    paths = chosen["steps"].value_counts()
    run.paths.update({str(path): int(number) for path, number in paths.items() if path})
    for path, number in paths.items():
        run.rules.update(dict.fromkeys({rule for rule in str(path).split(">") if rule}, int(number)))
    for flags, number in chosen["flags"].value_counts().items():
        named = str(flags).split()
        run.flags.update(dict.fromkeys(set(named), int(number)))
        run.review += int(number) if any(flag.startswith(REVIEW) for flag in named) else 0


def _compare(run: CertificateRun, frame: pd.DataFrame, chosen: pd.Series) -> None:
    """How often the selected code is the one that came along."""
    from mortality.certificate_csv import normal_codes

    name = next((name for name in GIVEN if name in frame), None)
    if name is None:
        return
    theirs = normal_codes(frame[name].astype("str"))
    known = theirs != ""
    run.given += int(known.sum())
    run.same_code += int((known & (theirs == chosen)).sum())
    run.same_category += int((known & (theirs.str[:3] == chosen.str[:3])).sum())


def _counted(before: pd.DataFrame, frame: pd.DataFrame, chosen: pd.Series) -> pd.DataFrame:
    """The counts with those of one block added."""
    from mortality.validation.person_values import ages, sexes

    plain = frame.reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "sex": pd.Series(sexes(plain), dtype="str").replace("", UNKNOWN),
            "age_years": ages(plain)["years"].astype(float),
            "underlying_cause": chosen.reset_index(drop=True).astype("str"),
            "deaths": 1,
        }
    )
    both = pd.concat([before, rows], ignore_index=True) if len(before) else rows
    return both.groupby(KEYS, dropna=False, as_index=False)["deaths"].sum()
