"""The certificates of a home, and the words of its books that name several causes, as lines for the engine.

Certificate: the codes of `death_cause`; a line that holds words and no code is coded from its words where that is certain.
Words: "viêm phổi do COPD" is split as the coder's engine splits it; what something is due to stands one line below.
One code: where it is never an underlying cause (an injury, illness without a name), what stands for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mortality.underlying_cause.profile import DEFAULT, RuleProfile
from tkyt_analysis.warehouse.lake import Warehouse

if TYPE_CHECKING:
    from tkyt_analysis.access.warehouse_view import ScopedWarehouse

COLUMNS = ["death_id", "basis", "code", "steps", "flags", "main_injury", "profile", "decision"]
CERTIFICATE, WORDS, CODE = "certificate", "words", "code"
DECIDED = ("as_given", "coder_record")  # whose code is the underlying cause by a person's own word
UNCODED_LINE = "check:uncoded_line"
LINE_NAMES = {"a": "line_a", "b": "line_b", "c": "line_c", "d": "line_d", "part2": "part2"}
INTERVALS = {"a": "interval_a", "b": "interval_b", "c": "interval_c", "d": "interval_d"}
SEXES = {"male": "M", "female": "F"}
MANNERS = {"self_harm": "suicide", "assault": "homicide"}
TIMINGS = {"within_43_days_to_1_year": "43_days_to_1_year"}

_NOTHING_ELSE = {
    "sex": "",
    "age_value": float("nan"),
    "age_unit": "",
    "line_b": "",
    "line_c": "",
    "line_d": "",
    "part2": "",
}
_CAUSES = """
    SELECT k.death_id, k.line, k.position, coalesce(k.icd10_code, '') AS code, coalesce(k.cause_text, '') AS text,
           coalesce(k.interval_as_written, '') AS interval
    FROM lake.death_cause k SEMI JOIN lake.death d USING (death_id)
    WHERE k.line IN ('a', 'b', 'c', 'd', 'part2') ORDER BY k.death_id, k.line, k.position, k.row_number
"""
_PERSONS = """
    SELECT d.death_id, coalesce(d.sex, '') AS sex, d.age_value, coalesce(d.age_unit, '') AS age_unit, d.age_years,
           coalesce(p.manner, d.manner, '') AS manner, coalesce(p.pregnancy_status, d.maternal_timing, '') AS pregnancy,
           CASE WHEN p.surgery = 'yes' AND coalesce(date_diff('day', p.surgery_date, d.death_date), 0) BETWEEN 0 AND 28
                THEN 'yes' ELSE '' END AS surgery
    FROM lake.death d LEFT JOIN (SELECT death_id, any_value(manner ORDER BY row_number) AS manner,
        any_value(pregnancy_status ORDER BY row_number) AS pregnancy_status, any_value(surgery ORDER BY row_number) AS surgery,
        any_value(surgery_date ORDER BY row_number) AS surgery_date FROM lake.certificate GROUP BY 1) p USING (death_id)
    ORDER BY d.death_id
"""


def certificates_of(warehouse: Warehouse) -> pd.DataFrame:
    """One row per death with lines of a certificate: id, sex, age_value, age_unit, line_a … part2, interval_a …, manner,
    pregnancy, surgery, uncoded (True where a line has words that could not be coded)."""
    causes = warehouse.query(_CAUSES)
    persons = warehouse.query(_PERSONS)
    causes = _with_codes_of_words(causes, persons)
    causes["uncoded"] = causes["code"].eq("")
    lines = _wide(causes, "code", LINE_NAMES)
    intervals = _wide(causes[causes["interval"].ne("")].drop_duplicates(["death_id", "line"]), "interval", INTERVALS)
    uncoded = causes.groupby("death_id")["uncoded"].any().rename("uncoded")
    frame = persons.merge(lines, on="death_id", validate="one_to_one").merge(
        intervals, on="death_id", how="left", validate="one_to_one"
    )
    frame = frame.merge(uncoded, on="death_id", validate="one_to_one").rename(columns={"death_id": "id"})
    frame[list(INTERVALS.values())] = frame[list(INTERVALS.values())].fillna("")
    frame["sex"] = frame["sex"].map(SEXES).fillna("")
    frame["age_unit"] = frame["age_unit"].where(frame["age_value"].notna(), "years")
    frame["age_value"] = frame["age_value"].fillna(frame["age_years"])
    frame["manner"] = frame["manner"].replace(MANNERS)
    frame["pregnancy"] = frame["pregnancy"].replace(TIMINGS)
    return frame.drop(columns="age_years")


def _with_codes_of_words(causes: pd.DataFrame, persons: pd.DataFrame) -> pd.DataFrame:
    """The same with codes for lines that hold words only, where the words say one code for certain."""
    bare = causes["code"].eq("") & causes["text"].str.strip().ne("")
    if bare.any():
        asked = causes[bare].merge(persons[["death_id", "sex", "age_years"]], on="death_id", validate="many_to_one")
        causes.loc[bare, "code"] = _certain_codes(asked["text"], asked["sex"], asked["age_years"]).to_numpy()
    return causes[causes["code"].ne("") | bare].copy()


def _certain_codes(text: pd.Series, sex: pd.Series, age_years: pd.Series) -> pd.Series:
    """The code of each wording where the coder's engine decides by itself, "" elsewhere."""
    coded = _coded(text, sex, age_years)
    return coded["code_1"].where(coded["decision"].eq("auto"), "").fillna("")


def _best_codes(text: pd.Series, sex: pd.Series, age_years: pd.Series) -> pd.Series:
    """The first candidate of each wording, "" where there is none."""
    return _coded(text, sex, age_years)["code_1"].fillna("")


def _coded(text: pd.Series, sex: pd.Series, age_years: pd.Series) -> pd.DataFrame:
    from mortality.coding.suggest import code_deaths

    ids = [str(number) for number in range(len(text))]
    columns = {"id": ids, "text": text.to_numpy(), "sex": sex.to_numpy(), "age_years": age_years.to_numpy()}
    return code_deaths(pd.DataFrame(columns), limit=1).set_index("id").loc[ids]


def _wide(causes: pd.DataFrame, column: str, names: dict[str, str]) -> pd.DataFrame:
    """One row per death and one column per line, values apart by blanks in the order of the certificate."""
    held = causes[causes["line"].isin(list(names))]
    joined = held.groupby(["death_id", "line"], sort=True)[column].agg(lambda values: " ".join(filter(None, values)))
    wide = joined.unstack("line").reindex(columns=list(names)).rename(columns=names).fillna("")
    return wide.reset_index()


def certificates_of_words(deaths: pd.DataFrame) -> pd.DataFrame:
    """Words that name several causes, as lines: id, sex, age_value, age_unit, line_a … line_d, part2.

    deaths : death_id, cause_text, sex, age_years. Each cause gets the code that its own words say best; causes without any
    are left out, and so are deaths with fewer than two.
    """
    parts = [
        (row.death_id, "abcd"[min(number, 3)], number, cause)
        for row in deaths.itertuples(index=False)
        for number, line in enumerate(_split(row.cause_text))
        for cause in line
    ]
    table = pd.DataFrame(parts, columns=["death_id", "line", "number", "text"])
    table = table.merge(deaths[["death_id", "sex", "age_years"]], on="death_id", validate="many_to_one")
    table["code"] = _best_codes(table["text"], table["sex"], table["age_years"]).to_numpy() if len(table) else ""
    table = table[table["code"].ne("")]
    table = table[table.groupby("death_id")["code"].transform("size") > 1] if len(table) else table
    lines = _wide(table, "code", LINE_NAMES).rename(columns={"death_id": "id"})
    persons = deaths.set_index("death_id")
    lines["sex"] = lines["id"].map(persons["sex"]).map(SEXES).fillna("")
    lines["age_value"], lines["age_unit"] = lines["id"].map(persons["age_years"]), "years"
    return lines


def _split(text: str) -> list[list[str]]:
    """The causes that the words name, line a first; [] where they name one."""
    from mortality.coding.split import split_lines

    lines = split_lines(text) if text else []
    return lines if sum(map(len, lines)) > 1 else []


def underlying_of(frame: pd.DataFrame, basis: str, *, profile: RuleProfile = DEFAULT) -> pd.DataFrame:
    """`death_underlying` rows of certificates (COLUMNS); decision review where a flag asks for a person."""
    from mortality.underlying_cause.batch import select_underlying_causes

    result = select_underlying_causes(frame, profile=profile)
    flags = result["flags"].astype("str")
    if "uncoded" in frame:
        flags = flags.where(~frame["uncoded"].astype(bool), (flags + f" {UNCODED_LINE}").str.strip())
    asked = flags.str.contains(r"(?:reject|check):") | result["underlying_cause"].eq("")
    return pd.DataFrame(
        {
            "death_id": result["id"].astype("str"),
            "basis": basis,
            "code": result["underlying_cause"].astype("str"),
            "steps": result["steps"].astype("str"),
            "flags": flags,
            "main_injury": result["main_injury"].astype("str"),
            "profile": profile.name,
            "decision": asked.map({True: "review", False: "auto"}).astype("str"),
        },
        columns=COLUMNS,
    ).reset_index(drop=True)


def with_underlying(decisions: pd.DataFrame, underlying: pd.DataFrame) -> pd.DataFrame:
    """The coding decisions with the underlying cause of certificates where it comes before them (see `mortality.pipeline`).

    rule "certificate:SP3>M1"; score missing, since the rules give no probability. Words of several causes keep the decision
    of the coder's engine, which selects by the same rules.
    """
    of_certificates = underlying[underlying["basis"].eq(CERTIFICATE)]
    found = of_certificates.set_index("death_id").reindex(decisions["death_id"]).reset_index(drop=True)
    rule = decisions["rule"].reset_index(drop=True)
    certain = found["decision"].eq("auto") & ~rule.isin(["as_given", "coder_record"])
    best_there_is = found["code"].fillna("").ne("") & rule.str.startswith("dictionary")
    taken = (certain | best_there_is).to_numpy()
    result = decisions.reset_index(drop=True).copy()
    result.loc[taken, "code"] = found.loc[taken, "code"].to_numpy()
    result.loc[taken, "decision"] = found.loc[taken, "decision"].to_numpy()
    result.loc[taken, "rule"] = (CERTIFICATE + ":" + found.loc[taken, "steps"]).to_numpy()
    result.loc[taken, "score"] = float("nan")
    return result


def underlying_causes(
    warehouse: Warehouse, deaths: pd.DataFrame, decisions: pd.DataFrame, *, profile: RuleProfile = DEFAULT
) -> pd.DataFrame:
    """`death_underlying`: every death with a certificate, and those whose words of several causes were decided by the rules."""
    of_certificates = underlying_of(certificates_of(warehouse), CERTIFICATE, profile=profile)
    several = decisions.loc[decisions["rule"].str.contains("several_causes"), ["death_id", "code", "decision"]]
    several = several[~several["death_id"].isin(of_certificates["death_id"])]
    words = certificates_of_words(deaths[deaths["death_id"].isin(several["death_id"])])
    of_words = underlying_of(words, WORDS, profile=profile).drop(columns="decision")
    same = of_words.merge(several, on=["death_id", "code"], validate="one_to_one")[COLUMNS]
    return pd.concat([of_certificates, same], ignore_index=True).sort_values("death_id", ignore_index=True)


def underlying_of_codes(deaths: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """`death_underlying` rows of deaths whose one code is never an underlying cause, and what stands for it.

    An injury without its external cause is X59.- (or goes by the manner of death), illness without a name R99; deaths : death_id
    and manner. The code that was read from the words stays with the words: this is what it is tabulated under.
    """
    alone = decisions.loc[decisions["code"].ne("") & ~decisions["rule"].isin(DECIDED), ["death_id", "code"]]
    alone = alone.merge(deaths[["death_id", "manner"]], on="death_id", validate="one_to_one")
    alone["manner"] = alone["manner"].replace(MANNERS)
    distinct = alone[["code", "manner"]].drop_duplicates().rename(columns={"code": "line_a"}).reset_index(drop=True)
    found = underlying_of(distinct.assign(id=distinct.index.astype("str"), **_NOTHING_ELSE), CODE)
    distinct = distinct.rename(columns={"line_a": "given"}).join(found.drop(columns="death_id"))
    distinct = distinct[distinct["code"].ne("") & distinct["code"].ne(distinct["given"])]
    rows = alone.rename(columns={"code": "given"}).merge(distinct, on=["given", "manner"], validate="many_to_one")
    return rows[COLUMNS].sort_values("death_id", ignore_index=True)


def with_codes_replaced(decisions: pd.DataFrame, replaced: pd.DataFrame) -> pd.DataFrame:
    """The decisions with the codes of `underlying_of_codes`; review where its rules ask for a coder."""
    found = replaced.set_index("death_id").reindex(decisions["death_id"]).reset_index(drop=True)
    result = decisions.reset_index(drop=True).copy()
    result["code"] = found["code"].fillna(result["code"])
    result.loc[found["decision"].eq("review") & result["decision"].eq("auto"), "decision"] = "review"
    return result


def write_certificates(home: Path, path: Path) -> int:
    """The certificates of a home that the account at work may see, as a file for `tkyt deaths underlying`; how many there are.

    Codes only, in the order of the records; replaced records are left out, and those about HIV without the right to them.
    Raises InputError without the right to check.
    """
    from tkyt_analysis.access import require
    from tkyt_analysis.access.warehouse_view import scoped_warehouse

    account = require(home, "check")
    with scoped_warehouse(home, account) as view:
        frame = certificates_of(view.warehouse)
        seen = view.warehouse.query(
            f"SELECT death_id FROM lake.death d WHERE {view.units('d.unit_id')} AND death_id NOT IN ({_hidden(view)})"
        )
    frame = frame[frame["id"].isin(seen["death_id"])]
    frame.drop(columns="uncoded").to_csv(path, index=False, lineterminator="\n")
    return len(frame)


def _hidden(view: ScopedWarehouse) -> str:
    """SQL text: records that are not shown."""
    from mortality.hiv import DEATHS
    from mortality.records.replaced import replaced_records_sql
    from tkyt_analysis.access import current_account, decide

    hidden = replaced_records_sql(view.warehouse)
    if decide(current_account(view.warehouse.home), "read_hiv").allowed:
        return hidden
    return f"SELECT * FROM ({hidden}) UNION ALL SELECT * FROM ({DEATHS})"
