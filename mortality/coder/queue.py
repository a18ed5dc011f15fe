"""What waits for a coder, in the order of what matters.

1. words that several deaths share, by the number of deaths that one decision would code;
2. single records of high stake, whatever the machine decided: rejected by the underlying-cause rules, maternal, a child under 5,
   external, notifiable, decided automatically with a low score;
3. the remaining words, of one death each.

Words wait while the machine has not decided them alone and coders have not confirmed them; a coder does not meet again what
that coder decided. Records whose register gave a valid code or whose certificate settled the cause, and records that the account may not see, are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.coder.choices import (
    SAMPLES,
    TABLE,
    as_text,
    has_columns,
    latest,
    may_know_hiv,
    read_table,
    rule_of_learning,
)
from mortality.coder.keys import BAND_SQL, MATERNAL_SQL, text_key
from mortality.coder.learning import ACTIVE, learn

if TYPE_CHECKING:
    from tkyt_analysis.access import Account
    from tkyt_analysis.access.warehouse_view import ScopedWarehouse
    from tkyt_analysis.warehouse.lake import Warehouse

TEXT, RECORD = "text", "record"
STAKES = ("rejected", "maternal", "under_5", "external", "notifiable", "low_score")
GIVEN = "(c.rule IN ('as_given', 'as_written', 'coder_record') OR c.rule LIKE 'certificate:%')"
KEYS = ["text_key", "age_band", "maternal"]
COLUMNS = [
    "kind", *KEYS, "written", "death_id", "deaths", "male", "female", "age_low", "age_mid", "age_high", "decision", "code", "score",
    "rule", "flags", "stakes", "others",
]  # fmt: skip
_SIMPLE = "lower(trim(regexp_replace(nfc_normalize(d.written), '\\s+', ' ', 'g')))"
_RECORDS = """
    CREATE OR REPLACE TEMP TABLE to_code AS
    WITH record AS (
        SELECT d.*, coalesce(nullif(trim(d.cause_text), ''), {lines}, '') AS written, {flags} AS flags, {asked} AS asked
        FROM lake.death d {underlying}
    )
    SELECT d.death_id, {simple} AS simple, d.written, d.sex, d.age_years, {band} AS age_band, {maternal} AS maternal,
           c.decision, c.code, c.score, c.rule, d.flags, {stakes} AS stakes
    FROM record d JOIN lake.death_code c USING (death_id)
    WHERE {units} AND d.death_id NOT IN ({hidden}) AND d.written <> '' AND (d.asked OR NOT {given})
"""
# What the rules for the underlying cause could not settle, and the certificate's lines as the words to read.
_ASKED = """
    LEFT JOIN (
        SELECT death_id, string_agg(flags, ' ' ORDER BY basis) AS flags,
               bool_or(coalesce(flags, '') LIKE '%reject:%' OR decision = 'review') AS asked
        FROM lake.death_underlying GROUP BY 1
    ) u USING (death_id)
    LEFT JOIN (
        SELECT k.death_id, string_agg(k.line || ': ' || coalesce(nullif(k.cause_text, ''), k.icd10_code, ''), '; '
                                      ORDER BY k.line, k.position, k.row_number) AS lines
        FROM lake.death_cause k GROUP BY 1
    ) l USING (death_id)
"""
_TEXTS = """
    SELECT simple, age_band, maternal, mode(written) AS written, count(*) AS deaths, count(*) FILTER (sex = 'male') AS male,
           count(*) FILTER (sex = 'female') AS female, min(age_years) AS age_low, median(age_years) AS age_mid,
           max(age_years) AS age_high, min(decision) AS decision, mode(code) AS code, avg(score) AS score, mode(rule) AS rule
    FROM to_code WHERE decision <> 'auto' AND rule NOT LIKE 'certificate:%' GROUP BY 1, 2, 3 ORDER BY deaths DESC, simple, age_band, maternal
"""
_SINGLES = """
    SELECT death_id, simple, age_band, maternal, written, 1 AS deaths, (sex = 'male')::INT AS male, (sex = 'female')::INT AS female,
           age_years AS age_low, age_years AS age_mid, age_years AS age_high, decision, code, score, rule, flags, stakes
    FROM to_code WHERE stakes <> '' ORDER BY death_id
"""


@dataclass
class Queue:
    """items : one row per matter that waits, in the order of work (COLUMNS; ages in years); without_words : deaths without any
    word to code from; coded : deaths with a coding decision in the account's scope; asked : matters on which somebody asked."""

    items: pd.DataFrame
    coded: int = 0
    without_words: int = 0
    asked: int = 0
    learnt: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def deaths(self) -> int:
        """Deaths whose words wait (a high-stake record that the machine decided is not among them)."""
        return int(self.items.loc[self.items["kind"] == TEXT, "deaths"].sum())


def load_queue(home: Path, *, sample: str = "") -> Queue:
    """The queue of the account at work; with `sample`, the records of that sample which the account has not coded yet, blind to others.

    Raises InputError without the right to check; an empty queue where nothing has been coded by the machine yet.
    """
    from tkyt_analysis.access import require
    from tkyt_analysis.access.warehouse_view import scoped_warehouse

    account = require(home, "check")
    if not (Path(home) / "warehouse").exists():
        return Queue(pd.DataFrame(columns=COLUMNS))
    with scoped_warehouse(home, account) as view:
        collect_records(view, may_know_hiv(home))
        if sample:
            return _of_sample(view.warehouse, account, sample)
        return _whole(view, account)


def collect_records(view: ScopedWarehouse, hiv: bool) -> None:
    """The records with words that the account may see, in a temporary table."""
    from mortality.hiv import DEATHS
    from mortality.records.replaced import replaced_records_sql

    warehouse = view.warehouse
    hidden = replaced_records_sql(warehouse)
    if not hiv:
        hidden = f"SELECT * FROM ({hidden}) UNION ALL SELECT * FROM ({DEATHS})"
    known = has_columns(warehouse, "death_underlying", "death_id, basis, flags, decision")
    warehouse.con.execute(
        _RECORDS.format(
            simple=_SIMPLE, band=BAND_SQL, maternal=MATERNAL_SQL, units=view.units("d.unit_id"), hidden=hidden, given=GIVEN, stakes=_stakes_sql(),
            underlying=_ASKED if known else "", lines="l.lines" if known else "NULL", flags="coalesce(u.flags, '')" if known else "''",
            asked="coalesce(u.asked, false)" if known else "false",
        )
    )  # fmt: skip


def _stakes_sql() -> str:
    """SQL text: why a single record matters, blank-separated, in the order of STAKES ("" where nothing does)."""
    tests = {
        "rejected": "d.asked",
        "maternal": MATERNAL_SQL,
        "under_5": "d.age_years < 5",
        "external": "regexp_matches(coalesce(c.code, ''), '^[V-Y]')",
        "notifiable": f"regexp_matches(coalesce(c.code, ''), '{_notifiable()}')",
        "low_score": f"c.decision = 'auto' AND c.score < {float(rule_of_learning()['low_score'])}",
    }
    parts = ", ".join(f"CASE WHEN {tests[name]} THEN '{name}' END" for name in STAKES)
    return f"concat_ws(' ', {parts})"


def _notifiable() -> str:
    """Pattern of the codes of diseases that are notified case by case (code list notifiable_diseases)."""
    from tkyt_analysis.catalog import read_codelist

    codes = sorted(read_codelist("notifiable_diseases")["code"])
    return f"^({'|'.join(code.replace('.', '[.]') for code in codes)})"


def _whole(view: ScopedWarehouse, account: Account) -> Queue:
    warehouse = view.warehouse
    said = read_table(warehouse, TABLE, order="choice_number")
    learnt = learn(said, read_table(warehouse, "coder_entry_event", order="event_number"), rule_of_learning())
    last = latest(said)
    texts, singles = warehouse.query(_TEXTS), warehouse.query(_SINGLES)
    keys = keys_of([*texts["simple"], *singles["simple"]])
    texts = _waiting_texts(_by_key(texts, keys), last, learnt, account.name)
    singles = singles.assign(text_key=singles["simple"].map(keys).astype("str"), kind=RECORD)
    singles = _waiting_singles(singles, last, account.name)
    alone = texts[texts["deaths"] == 1].merge(singles[KEYS].drop_duplicates().assign(asked=True), on=KEYS, how="left")
    alone = alone[alone["asked"].isna()].drop(
        columns="asked"
    )  # the one death with these words is asked about as a record
    items = pd.concat([texts[texts["deaths"] > 1], singles, alone], ignore_index=True)
    items = items.reindex(columns=COLUMNS).fillna(
        {"death_id": "", "stakes": "", "flags": "", "others": 0, "code": "", "rule": ""}
    )
    coded, empty = warehouse.one(
        "SELECT count(*), count(*) FILTER (coalesce(trim(d.cause_text), '') = '') FROM lake.death d "
        f"JOIN lake.death_code c USING (death_id) WHERE {view.units('d.unit_id')}"
    )
    return Queue(items, int(coded), int(empty), int((last["state"] == "ask").sum()), learnt)


def keys_of(texts: Iterable[str]) -> dict[str, str]:
    """{words: their normal form}, each distinct text read once."""
    return {text: text_key(text) for text in dict.fromkeys(texts)}


def _by_key(texts: pd.DataFrame, keys: dict[str, str]) -> pd.DataFrame:
    """Spellings of one normal form become one row: counts are summed, words and code are those of the commonest spelling."""
    rows = texts.assign(text_key=texts["simple"].map(keys).astype("str"), kind=TEXT)
    rows = rows[rows["text_key"] != ""]
    summed = {name: (name, "sum") for name in ("deaths", "male", "female")}
    first = {name: (name, "first") for name in ("kind", "written", "decision", "code", "score", "rule", "age_mid")}
    grouped = rows.groupby(KEYS, as_index=False, sort=False).agg(
        **summed, **first, age_low=("age_low", "min"), age_high=("age_high", "max")
    )
    return grouped.sort_values(["deaths", *KEYS], ascending=[False, True, True, True], ignore_index=True)


def _waiting_texts(rows: pd.DataFrame, last: pd.DataFrame, learnt: pd.DataFrame, coder: str) -> pd.DataFrame:
    """Rows less the sexes that are confirmed or that this coder decided; `others`: coders who decided and wait for a second."""
    on_words = last[last["death_id"] == ""]
    done = pd.concat(
        [
            on_words.loc[on_words["coder"] == coder, [*KEYS, "sex"]],
            _confirmed(learnt),
        ]
    ).drop_duplicates()
    other = on_words[on_words["coder"] != coder].groupby(KEYS, as_index=False).agg(others=("coder", "nunique"))
    rows = rows.merge(other, on=KEYS, how="left").fillna({"others": 0})
    for sex in ("", "male", "female"):
        marks = done.loc[done["sex"] == sex, KEYS].assign(**{f"done_{sex}": True})
        rows = rows.merge(marks, on=KEYS, how="left")
    male = rows["male"].where(rows["done_male"].isna(), 0)
    female = rows["female"].where(rows["done_female"].isna(), 0)
    left = rows["deaths"] - (rows["male"] - male) - (rows["female"] - female)
    rows = rows.assign(male=male, female=female, deaths=left.where(rows["done_"].isna(), 0))
    rows = rows[rows["deaths"] > 0].drop(columns=["done_", "done_male", "done_female"])
    return rows.sort_values(["deaths", *KEYS], ascending=[False, True, True, True], ignore_index=True)


def _confirmed(learnt: pd.DataFrame) -> pd.DataFrame:
    """Words and contexts that active entries settle (they code no maternal death)."""
    active = learnt[learnt["state"].isin(ACTIVE)]
    return active.rename(columns={"expression": "text_key"}).assign(maternal=False)[[*KEYS, "sex"]]


def _waiting_singles(rows: pd.DataFrame, last: pd.DataFrame, coder: str) -> pd.DataFrame:
    """High-stake records that nobody coded one by one, and whose words this coder did not decide; the highest stake first."""
    decided = set(last.loc[(last["death_id"] != "") & (last["sample_id"] == ""), "death_id"])
    rows = rows[~rows["death_id"].isin(decided)]
    own = last.loc[(last["death_id"] == "") & (last["coder"] == coder), KEYS].drop_duplicates().assign(own=True)
    rows = rows.merge(own, on=KEYS, how="left")
    rows = rows[rows["own"].isna() | rows["stakes"].str.contains("rejected")].drop(columns="own")
    order = rows["stakes"].str.split(" ").str[0].map({name: number for number, name in enumerate(STAKES)})
    return (
        rows.assign(others=0, order=order)
        .sort_values(["order", "score", "death_id"], ignore_index=True)
        .drop(columns="order")
    )


def _of_sample(warehouse: Warehouse, account: Account, sample: str) -> Queue:
    """The records of a sample which this coder has not coded for it, in the sample's order; what others said is not looked at."""
    from tkyt_analysis.errors import InputError

    drawn = read_table(warehouse, SAMPLES, order="place_in_sample")
    drawn = drawn[drawn["sample_id"] == sample]
    if drawn.empty:
        raise InputError("error.coder_no_sample", sample=sample)
    last = latest(read_table(warehouse, TABLE, order="choice_number"))
    done = last.loc[(last["sample_id"] == sample) & (last["coder"] == account.name), "death_id"]
    ids = drawn.loc[~drawn["death_id"].isin(done), ["death_id", "place_in_sample"]]
    rows = warehouse.query(_SINGLES.replace("WHERE stakes <> ''", "")).merge(ids, on="death_id")
    keys = keys_of(rows["simple"])
    rows = rows.assign(text_key=rows["simple"].map(keys).astype("str"), kind=RECORD, others=0, stakes="").sort_values(
        "place_in_sample"
    )
    return Queue(rows.reindex(columns=COLUMNS).reset_index(drop=True), coded=len(drawn))


def ages_of(row: dict[str, Any]) -> tuple[float | None, float | None]:
    """(lowest, highest) age [years] of an item; None where no age is known."""
    low, high = row.get("age_low"), row.get("age_high")
    return (None, None) if as_text(low) == "" or as_text(high) == "" else (float(str(low)), float(str(high)))
