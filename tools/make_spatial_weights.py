"""Make the tables of bordering provinces in data_catalog/spatial_weights/ (63 of VN2024, 34 of VN2025).

    python tools/make_spatial_weights.py

Provinces are neighbours where their packaged outlines (OpenStreetMap, ODbL; shared borders, no gaps) have a point in common.
The result depends on nothing but data_catalog/boundaries/. The table of islands is written by hand.
"""

from __future__ import annotations

from pathlib import Path

import geopandas
import pandas as pd

from tkyt_analysis.analysis.spatial.neighbours import neighbours_from_polygons

CATALOG = Path(__file__).resolve().parent.parent / "data_catalog"
HEAD = """# Provinces of {vintage} that border each other; each pair once, both ways meant. Entry: {vintage_lower}_provinces.yaml.
# Written by tools/make_spatial_weights.py from data_catalog/boundaries/ (© OpenStreetMap contributors, ODbL 1.0).
"""


def province_pairs(vintage: str) -> pd.DataFrame:
    """unit_id, neighbour_id, relation: each pair once, sorted."""
    folder = CATALOG / "boundaries" / "openstreetmap_odbl"
    outlines = geopandas.read_file(folder / f"{vintage.lower()}_provinces.geojson")
    pairs = neighbours_from_polygons(outlines, ids=outlines["unit_id"]).table()
    once = pairs[pairs["i"] < pairs["j"]].sort_values(["i", "j"])
    return pd.DataFrame({"unit_id": once["i"], "neighbour_id": once["j"], "relation": "land"})


def main() -> None:
    """Write both tables and say how many pairs they have."""
    for vintage in ("VN2024", "VN2025"):
        pairs = province_pairs(vintage)
        path = CATALOG / "spatial_weights" / f"{vintage.lower()}_provinces.csv"
        head = HEAD.format(vintage=vintage, vintage_lower=vintage.lower())
        path.write_text(head + pairs.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
        print(f"{path.name}: {len(pairs)} pairs")


if __name__ == "__main__":
    main()
