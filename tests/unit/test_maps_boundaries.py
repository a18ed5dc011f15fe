"""Outlines: every province once, codes equal to the list, the ministry's own file checked before it is used."""

import json

import numpy as np
import pandas as pd
import pytest
import shapely
from support import reference_path

from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import label
from tkyt_analysis.maps.boundaries import archipelago_unit, boundaries, island_points
from tkyt_analysis.maps.frame import frame
from tkyt_analysis.settings import REPOSITORY

FOLDER = REPOSITORY / "data_catalog" / "boundaries"
NUMBER = {"VN2024": 63, "VN2025": 34}


def provinces(vintage):
    geopandas = pytest.importorskip("geopandas")
    return geopandas.read_file(FOLDER / "openstreetmap_odbl" / f"{vintage.lower()}_provinces.geojson")


@pytest.fixture(autouse=True)
def no_catalog_of_the_user(monkeypatch):
    monkeypatch.delenv("TKYT_CATALOG_PATH", raising=False)


@pytest.mark.parametrize("vintage", NUMBER)
def test_every_province_is_drawn_once_and_the_outlines_neither_overlap_nor_leave_gaps(vintage):
    shapes = provinces(vintage)
    assert len(shapes) == NUMBER[vintage] == shapes["unit_id"].nunique()
    assert (shapes["unit_id"] == vintage + ":" + shapes["code"]).all()
    assert shapes.geometry.is_valid.all()
    assert shapely.coverage_is_valid(shapes.geometry.to_numpy())


def test_the_34_provinces_are_exact_unions_of_the_63():
    old, new = provinces("VN2024"), provinces("VN2025").set_index("code")
    merged = pd.read_csv(reference_path("vietnam", "provinces_63_to_34.csv"), dtype=str).set_index("code")
    for code, members in old.groupby(old["code"].map(merged["code_34"])):
        assert members.union_all().symmetric_difference(new.geometry[code]).area < 1e-9, code


def test_names_are_those_of_the_statistics_office():
    names = pd.read_csv(reference_path("vietnam", "provinces_63_to_34.csv"), dtype=str)
    old, new = boundaries(vintage="VN2024").units, boundaries(vintage="VN2025").units
    assert dict(zip(old["code"], old["name"])) == dict(zip(names["code"], names["name"]))
    assert dict(zip(new["code"], new["name"])) == dict(zip(names["code_34"], names["name_34"]))


def test_the_outlines_agree_with_the_official_map():
    geopandas = pytest.importorskip("geopandas")
    official = geopandas.read_parquet(reference_path("vietnam", "boundaries", "vn_provinces_34.parquet"))
    official = official.set_index("code").to_crs(3405).geometry
    ours = provinces("VN2025").set_index("code").to_crs(3405).geometry
    official = official.intersection(ours.union_all().envelope.buffer(20_000)).reindex(ours.index)
    overlap = ours.intersection(official).area / ours.union(official).area
    assert overlap.mean() > 0.95  # geography.md section 1: mean overlap 0.967
    assert overlap.min() > 0.8


@pytest.mark.parametrize("vintage", NUMBER)
def test_the_tile_grid_has_each_code_once_and_no_two_provinces_on_one_tile(vintage):
    grid = pd.read_csv(FOLDER / f"tile_grid_{vintage.lower()}.csv", dtype=str, comment="#")
    assert sorted(grid["code"]) == sorted(boundaries(vintage=vintage).units["code"])
    assert not grid.duplicated(["row", "col"]).any()


@pytest.mark.parametrize("vintage", NUMBER)
def test_the_tile_grid_keeps_north_above_south(vintage):
    grid = pd.read_csv(FOLDER / f"tile_grid_{vintage.lower()}.csv", dtype={"code": str}, comment="#").set_index("code")
    latitude = provinces(vintage).set_index("code").geometry.representative_point().y
    assert np.corrcoef(grid["row"], -latitude.reindex(grid.index))[0, 1] > 0.97


def test_hoang_sa_belongs_to_da_nang_and_truong_sa_to_khanh_hoa():
    assert island_points().groupby("archipelago").size().to_dict() == {"hoang_sa": 8, "truong_sa": 14}
    for vintage in NUMBER:
        names = boundaries(vintage=vintage).names
        assert names[archipelago_unit("hoang_sa", vintage)] == "Đà Nẵng"
        assert names[archipelago_unit("truong_sa", vintage)] == "Khánh Hòa"


@pytest.mark.parametrize("tiles", [False, True])
@pytest.mark.parametrize("vintage", NUMBER)
def test_the_archipelago_frames_cover_no_province_and_hold_all_their_islands(vintage, tiles):
    sheet = frame(boundaries(vintage=vintage, tiles=tiles))
    land = shapely.union_all([shapely.Polygon(p[0]) for parts in sheet.shapes.values() for p in parts])
    first, second = (shapely.box(*inset.box) for inset in sheet.insets)
    assert not land.intersects(first)
    assert not land.intersects(second)
    assert not first.intersects(second)
    assert not land.intersects(shapely.box(*sheet.legend))
    assert shapely.box(0, 0, sheet.width, sheet.height).contains(shapely.union_all([land, first, second]))
    for inset, box in zip(sheet.insets, (first, second)):
        assert all(box.contains(shapely.Point(point)) for point in inset.points)
    assert [len(inset.points) for inset in sheet.insets] == ([0, 0] if tiles else [8, 14])


# --- a file of the user's own -------------------------------------------------------------------------------
@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp", "parquet"])
def test_a_boundary_file_of_the_ministry_takes_the_place_of_the_default(tmp_path, suffix):
    path = tmp_path / f"ranh_gioi.{suffix}"
    shapes = provinces("VN2025")[["code", "geometry"]].rename(columns={"code": "ma_tinh"}).to_crs(3405)
    shapes.to_parquet(path) if suffix == "parquet" else shapes.to_file(path)
    found = boundaries(vintage="VN2025", file=path, code_column="ma_tinh", attribution={"vi": "BTNMT", "en": "MONRE"})
    assert sorted(found.shapes) == sorted(boundaries(vintage="VN2025").shapes)
    assert found.attribution["vi"] == "BTNMT"
    corner = found.shapes["VN2025:01"][0][0][0]
    assert 105 < corner[0] < 106.1
    assert 20.5 < corner[1] < 21.5


def test_a_catalog_entry_of_the_user_is_found_by_level_and_vintage(tmp_path, monkeypatch):
    folder = tmp_path / "boundaries"
    folder.mkdir()
    provinces("VN2025").to_file(folder / "tinh.geojson")
    (folder / "province_vn2025.yaml").write_text("file: tinh.geojson\ncode_column: code\n", encoding="utf-8")
    monkeypatch.setenv("TKYT_CATALOG_PATH", str(tmp_path))
    assert boundaries(vintage="VN2025").attribution["vi"] == "tinh.geojson"
    assert "OpenStreetMap" in boundaries(vintage="VN2024").attribution["vi"]
    (folder / "province_vn2025.yaml").write_text("file: tinh.geojson\nkod: x\n", encoding="utf-8")
    with pytest.raises(InputError, match="kod"):
        boundaries(vintage="VN2025")


def test_polygons_of_the_archipelagos_in_the_file_are_drawn_in_their_frames(tmp_path):
    shapes = provinces("VN2025").set_index("code")
    islet, shoal = shapely.Point(111.6, 16.5).buffer(0.05), shapely.Point(109.9, 7.5).buffer(0.05)
    shapes.loc["48", "geometry"] = shapes.geometry["48"].union(islet)
    shapes.loc["56", "geometry"] = shapes.geometry["56"].union(shoal)
    shapes.reset_index().to_file(tmp_path / "x.geojson")
    found = boundaries(vintage="VN2025", file=tmp_path / "x.geojson")
    assert len(found.islands["hoang_sa"]) == 1
    assert len(found.islands["truong_sa"]) == 1
    for inset in frame(found).insets:
        assert shapely.box(*inset.box).contains(shapely.Polygon(inset.polygons[0][0]))
    assert max(part[0][:, 0].max() for part in found.shapes["VN2025:48"]) < 109.6


def wrong_file(tmp_path, change, name="x.gpkg"):
    shapes = change(provinces("VN2025")[["code", "name", "geometry"]])
    shapes.to_file(tmp_path / name)
    with pytest.raises(InputError) as raised:
        boundaries(vintage="VN2025", file=tmp_path / name)
    return raised.value.sentence("vi")


def test_missing_and_surplus_codes_are_named(tmp_path):
    said = wrong_file(tmp_path, lambda shapes: shapes.replace({"code": {"01": "99"}}))
    assert "Thiếu: 01." in said
    assert "Thừa: 99." in said
    assert "x.gpkg" in said


def test_codes_of_the_63_in_a_file_for_the_34_are_refused(tmp_path):
    provinces("VN2024").to_file(tmp_path / "x.gpkg")
    with pytest.raises(InputError, match="Thiếu: –. Thừa: 02, 06, 10"):
        boundaries(vintage="VN2025", file=tmp_path / "x.gpkg")


def test_a_code_that_stands_twice_is_named(tmp_path):
    said = wrong_file(tmp_path, lambda shapes: pd.concat([shapes, shapes.iloc[[3]]]))
    assert "Lặp lại: 11." in said


def test_codes_kept_as_numbers_are_refused(tmp_path):
    said = wrong_file(tmp_path, lambda shapes: shapes.assign(code=shapes["code"].astype(int)))
    assert "dạng số" in said


def test_a_wrong_code_column_is_answered_with_the_columns_that_are_there(tmp_path):
    said = wrong_file(tmp_path, lambda shapes: shapes.rename(columns={"code": "ma"}))
    assert "có các cột: ma, name" in said


def test_a_bow_tie_is_no_province(tmp_path):
    bow_tie = shapely.Polygon([(105, 20), (106, 21), (106, 20), (105, 21)])

    def change(shapes):
        shapes.loc[shapes["code"] == "22", "geometry"] = bow_tie
        return shapes

    assert "22" in wrong_file(tmp_path, change)


def test_a_file_without_a_coordinate_system_needs_one_declared(tmp_path):
    path = tmp_path / "x.shp"
    provinces("VN2025").set_crs(None, allow_override=True).to_file(path)
    with pytest.raises(InputError, match="hệ tọa độ"):
        boundaries(vintage="VN2025", file=path)
    assert len(boundaries(vintage="VN2025", file=path, crs="EPSG:4326").shapes) == 34


@pytest.mark.parametrize(("name", "content"), [("a.gpkg", b"no"), ("a.geojson", b'{"type"'), ("a.parquet", b"PAR1")])
def test_a_damaged_file_is_answered_with_a_sentence(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="Không đọc được tệp ranh giới"):
        boundaries(vintage="VN2025", file=tmp_path / name)


def test_an_absent_file_and_a_strange_type_are_answered_with_a_sentence(tmp_path):
    with pytest.raises(InputError, match="Không tìm thấy"):
        boundaries(file=tmp_path / "x.gpkg")
    (tmp_path / "x.docx").write_bytes(b"")
    with pytest.raises(InputError, match="gpkg"):
        boundaries(file=tmp_path / "x.docx")


def test_communes_need_a_file():
    with pytest.raises(InputError, match="cấp xã"):
        boundaries("commune", "VN2025")
    with pytest.raises(UsageError):
        boundaries("province", "VN2030")


def test_the_packaged_file_says_whose_it_is():
    for vintage in NUMBER:
        path = FOLDER / "openstreetmap_odbl" / f"{vintage.lower()}_provinces.geojson"
        assert "OpenStreetMap contributors (ODbL" in json.loads(path.read_text("utf-8"))["attribution"]
        assert path.stat().st_size < 200_000
    assert "Open Database License" in (FOLDER / "openstreetmap_odbl" / "LICENSE.md").read_text("utf-8")
    assert "ODbL" in label("map.attribution", "vi")


def test_the_official_map_with_its_archipelagos_fits_the_frames():
    path = reference_path("vietnam", "boundaries", "vn_provinces_34.parquet")
    found = boundaries(vintage="VN2025", file=path)
    assert len(found.islands["hoang_sa"]) + len(found.islands["truong_sa"]) > 100
    for inset in frame(found).insets:
        box = shapely.box(*inset.box)
        assert all(box.contains(shapely.Polygon(polygon[0])) for polygon in inset.polygons)
