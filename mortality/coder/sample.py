"""A drawn sample of records that two coders code independently: seeded, stratified by what matters.

Strata: what the machine decided (auto, review, uncodable) × whether the record is of high stake (`queue.STAKES`). Each stratum gets its
share of the sample, but at least `least_per_stratum` records (all of a smaller one). The order within a stratum is that of a hash of
seed and record, so the same seed on the same records draws the same sample on every machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mortality.coder.choices import SAMPLES, TABLE, append, latest, may_know_hiv, read_table, rule_of_learning, writing
from tkyt_analysis.errors import InputError

LARGEST = 20_000
_FRAME = """
    SELECT death_id, decision || CASE WHEN stakes <> '' THEN '_high' ELSE '_other' END AS stratum,
           md5($seed || '|' || death_id) AS lot
    FROM to_code ORDER BY stratum, lot, death_id
"""


def draw_sample(home: Path, *, size: int, seed: str = "1") -> dict[str, Any]:
    """Draw and store a sample of the records with words that the account sees; {sample_id, size, strata}.

    Raises InputError where there is nothing to draw from, or the size is not between 1 and 20,000.
    """
    from mortality.coder.queue import collect_records
    from tkyt_analysis.access import require
    from tkyt_analysis.access.audit import record
    from tkyt_analysis.access.warehouse_view import scoped_warehouse
    from tkyt_analysis.workflow.states import event_time, utc_now

    account = require(home, "check")
    if not 1 <= size <= LARGEST:
        raise InputError("error.coder_sample_size", found=size, largest=LARGEST)
    frame = pd.DataFrame()
    if (Path(home) / "warehouse").exists():
        with scoped_warehouse(home, account) as view:
            collect_records(view, may_know_hiv(home))
            frame = view.warehouse.con.execute(_FRAME, {"seed": seed}).df()
    if frame.empty:
        raise InputError("error.coder_nothing_to_draw")
    rows = chosen(frame, size, int(rule_of_learning()["least_per_stratum"]))
    now = event_time(utc_now())
    sample_id = now[:19].replace("-", "").replace(":", "").replace(" ", "-") + now[19:22].replace(".", "-")
    rows = rows.assign(sample_id=sample_id, seed=seed, drawn_by=account.name, drawn_at=now)
    with writing(home) as warehouse, warehouse.transaction():
        append(warehouse, SAMPLES, rows)
    record(home, "coder_sample", rows=len(rows), sample=sample_id)
    return {"sample_id": sample_id, "size": len(rows), "strata": rows["stratum"].value_counts().sort_index().to_dict()}


def chosen(frame: pd.DataFrame, size: int, least: int) -> pd.DataFrame:
    """Of death_id, stratum, lot (sorted) the records of the sample: death_id, place_in_sample, stratum, stratum_deaths.

    The sample is mixed: its order is that of the lot, not of the strata.
    """
    counts = frame["stratum"].value_counts()
    wanted = allocation(counts, size, least)
    place = frame.groupby("stratum").cumcount()
    rows = frame[place < frame["stratum"].map(wanted)].sort_values(["lot", "death_id"], ignore_index=True)
    return rows.assign(place_in_sample=range(1, len(rows) + 1), stratum_deaths=rows["stratum"].map(counts)).drop(
        columns="lot"
    )


def allocation(counts: pd.Series, size: int, least: int) -> pd.Series:
    """Records per stratum: proportional with largest remainders, at least `least`, at most all. The sum can exceed `size` by what
    the least of small strata needs, and is smaller where there are fewer records."""
    size = min(size, int(counts.sum()))
    share = size * counts / counts.sum()
    whole = np.floor(share).astype("int64")
    rest = (share - whole).sort_index().sort_values(ascending=False, kind="stable").index[: size - int(whole.sum())]
    whole.loc[rest] += 1
    return whole.clip(lower=np.minimum(counts, least))


def samples(home: Path) -> pd.DataFrame:
    """sample_id, size, drawn_at, drawn_by, and per sample how many records each account has coded (column `coded`, a dict)."""
    from tkyt_analysis.access import require, working_within
    from tkyt_analysis.warehouse.lake import Warehouse

    require(home, "check")
    columns = ["sample_id", "size", "drawn_at", "drawn_by", "coded"]
    if not (Path(home) / "warehouse").exists():
        return pd.DataFrame(columns=columns)
    with working_within(), Warehouse(home) as warehouse:
        drawn = read_table(warehouse, SAMPLES, order="sample_id, place_in_sample")
        last = latest(read_table(warehouse, TABLE, order="choice_number"))
    if drawn.empty:
        return pd.DataFrame(columns=columns)
    rows = drawn.groupby("sample_id", as_index=False).agg(
        size=("death_id", "size"), drawn_at=("drawn_at", "first"), drawn_by=("drawn_by", "first")
    )
    done = last[last["sample_id"] != ""].groupby(["sample_id", "coder"]).size()
    coded = [
        {str(coder): int(count) for (one, coder), count in done.items() if one == sample}
        for sample in rows["sample_id"]
    ]
    return rows.assign(coded=coded)[columns]
