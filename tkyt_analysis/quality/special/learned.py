"""Reports that break what the form otherwise keeps (C1, C3): sums of parts and orders, learned from the reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.panel import FormBlock
from tkyt_analysis.quality.special.relations import Order, Sum, learn_orders, learn_sums
from tkyt_analysis.quality.special.rows import cell_rows, no_rows

Judged = tuple[pd.DataFrame, int, int]


def judge_learned(block: FormBlock, parameters: Mapping[str, Any]) -> Judged:
    """Breaches at the total (or the part that is above its whole): value, expected (sum of the parts, or the whole), parts, share.

    parameters : minimum_share of reports in which a sum holds (0.7), minimum_reports (50), most_broken of an order
    (0.02), times_fewer than chance (8). Judged are the reports to which at least one learned relation applies;
    where the form keeps none, nothing is assessable.
    """
    sums = learn_sums(
        block.values,
        minimum_share=float(parameters.get("minimum_share", 0.7)),
        minimum_reports=int(parameters.get("minimum_reports", 50)),
    )
    orders = learn_orders(
        block.values,
        most_broken=float(parameters.get("most_broken", 0.02)),
        times_fewer=float(parameters.get("times_fewer", 8.0)),
    )
    inside = {(part, one.total) for one in sums for part in one.parts}
    orders = [one for one in orders if (one.part, one.whole) not in inside]
    judged = np.zeros(block.values.shape[:2], dtype=bool)
    parts = [_sum_breaches(block, one, judged) for one in sums] + [
        _order_breaches(block, one, judged) for one in orders
    ]
    found = [part for part in parts if len(part)]
    rows = pd.concat(found, ignore_index=True) if found else no_rows()
    return rows, int(judged[:, block.asked].sum()), int(block.reported[:, block.asked].sum())


def _names(block: FormBlock, places: tuple[int, ...]) -> str:
    return ", ".join(
        block.series[place][0] + (f".{block.series[place][1]}" if block.series[place][1] else "") for place in places
    )


def _sum_breaches(block: FormBlock, one: Sum, judged: np.ndarray) -> pd.DataFrame:
    values = block.values[:, :, list(one.parts)]
    total = block.values[:, :, one.total]
    complete = np.isfinite(values).all(axis=2) & np.isfinite(total)
    judged |= complete
    unit, column = np.nonzero(complete & (values.sum(axis=2) != total))
    place = np.full(len(unit), one.total)
    return cell_rows(
        block, unit, column, place,
        expected=values[unit, column].sum(axis=1), suggested=values[unit, column].sum(axis=1),
        verdict="inconsistent", explanation="parts_not_total",
        probability=np.full(len(unit), np.clip(one.share, 0.01, 0.99)).round(3),
        relation="sum", others=_names(block, one.parts), share=round(one.share, 4),
    )  # fmt: skip


def _order_breaches(block: FormBlock, one: Order, judged: np.ndarray) -> pd.DataFrame:
    part, whole = block.values[:, :, one.part], block.values[:, :, one.whole]
    judged |= np.isfinite(part) & np.isfinite(whole)
    with np.errstate(invalid="ignore"):
        unit, column = np.nonzero(part > whole)
    place = np.full(len(unit), one.part)
    share = 1 - one.broken / max(one.by_chance, 1e-9)
    return cell_rows(
        block, unit, column, place,
        expected=whole[unit, column], suggested=np.full(len(unit), np.nan), upper=whole[unit, column],
        verdict="inconsistent", explanation="part_above_whole",
        probability=np.full(len(unit), np.clip(share, 0.01, 0.99)).round(3),
        at_stake=(part - whole)[unit, column], relation="order", others=_names(block, (one.whole,)), share=round(1 - one.broken, 4),
    )  # fmt: skip
