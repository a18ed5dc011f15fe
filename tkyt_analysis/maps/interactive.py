"""The province map of one value for screens: one piece of HTML with inline SVG; no script, no file, no network."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tkyt_analysis.maps.choropleth import choropleth
from tkyt_analysis.maps.screen import html_of


def interactive_map_html(values: pd.DataFrame, *, table: bool = True, value_decimals: int = 1, **options: Any) -> str:
    """HTML of a map of one value per province; parameters and errors as `draw_province_map`.

    value_decimals : of the values in the map's hints and in its table
    table : False leaves out the table below the map, where the page has its own
    """
    return html_of(choropleth(values, value_decimals=value_decimals, **options), table=table)
