"""Role × place × door × table: whoever works, no row outside the scope comes back through any door, and none inside is lost.

A small home with rows in two provinces and at every kind of unit. What an account may see is worked out here again, from
the released unit list and the crosswalk, not by the code under test.
"""

import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mortality.release_tables import AGE_BANDS
from tkyt_analysis.access import acting_as, changes
from tkyt_analysis.access.accounts import read_accounts
from tkyt_analysis.access.identifiers import read_identities
from tkyt_analysis.access.release_view import PUBLIC
from tkyt_analysis.cli.main import run
from tkyt_analysis.errors import TkytError
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.reference.geography import crosswalk
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.release import Release, publish

HERE, THERE = "VN2025:51", "VN2025:01"
FACILITY, FOREIGN = "KCB:51001", "DHIS2:ou51hospita"
LINKS = crosswalk()


def communes_with_a_divided_part():
    """(new commune, old commune that went there whole, divided one by default, divided one that went elsewhere) in 51."""
    old = LINKS[LINKS["old_unit_id"].str.match("VN2024:2[12]")]  # Quảng Ngãi: 21xxx
    divided = old[old["relation"] == "split"]
    for new in divided.loc[divided["is_default"], "new_unit_id"]:
        into = old[old["new_unit_id"] == new]
        whole = into.loc[into["relation"] == "whole", "old_unit_id"]
        mine = into.loc[(into["relation"] == "split") & into["is_default"], "old_unit_id"]
        if len(whole) and len(mine):
            return new, whole.iloc[0], mine.iloc[0]
    raise AssertionError("no such commune")


NEW, WHOLE, DIVIDED = communes_with_a_divided_part()
OTHER_TARGET = LINKS.loc[(LINKS["old_unit_id"] == DIVIDED) & ~LINKS["is_default"], "new_unit_id"].iloc[0]
REST_OF_HERE = "VN2024:23293"  # in old Kon Tum, merged into 51
UNITS = [HERE, THERE, NEW, WHOLE, DIVIDED, OTHER_TARGET, REST_OF_HERE, "VN2025:00004", "VN2024:00001", FACILITY, FOREIGN,
         "DHIS2:nowhere0000", "VN"]  # fmt: skip
ACCOUNTS = {
    "so-51": ("province", HERE),
    "so-01": ("province", THERE),
    "xa-moi": ("facility", NEW),
    "xa-khac": ("facility", OTHER_TARGET),
    "xa-cu": ("facility", WHOLE),
    "benh-vien": ("facility", FACILITY),
    "vien": ("ministry_unit", "DHIS2:nowhere0000"),
    "cdc": ("province_unit", "VN2025:00004"),
    "vu": ("ministry", "VN"),
    "cntt": ("administrator", "VN"),
}


def fill(home):
    sha = {unit: f"{number:064x}" for number, unit in enumerate(UNITS, start=1)}
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        put = lambda table, rows: insert(warehouse, table, pd.DataFrame(rows))  # noqa: E731
        put(
            "organisation_unit",
            [{"unit_id": FOREIGN, "name": "Bệnh viện", "level": 4, "parent_unit_id": NEW, "province_id": HERE}],
        )
        put("facility", [{"facility_id": FACILITY, "name": "TTYT", "unit_id": OTHER_TARGET}])
        put("received_file", [{"file_sha256": sha[u], "file_name": f"tep_{n}.xlsx", "received_at": "2025-08-01 00:00:00", "door": "tabular",
                               "rows_received": 1, "rows_landed": 1, "rows_quarantined": 0, "notes": 0} for n, u in enumerate(UNITS)])  # fmt: skip
        put("aggregate_value", [{"dataset_id": "d", "element_id": "e", "category_id": "", "unit_id": u, "period_id": "202506", "value": float(n),
                                 "period_start": "2025-06-01", "period_end": "2025-06-30", "file_sha256": sha[u], "sheet": "", "row_number": 1}
                                for n, u in enumerate(UNITS)])  # fmt: skip
        put("data_set_assignment", [{"dataset_id": "d", "unit_id": u, "period_type": "month"} for u in UNITS])
        put("finding", [{"finding_id": f"f{n}", "rule_id": "r", "severity": "error", "dataset_id": "d", "unit_id": u, "period_id": "202506",
                         "fields": "{}", "file_sha256": sha[u]} for n, u in enumerate([*UNITS, ""]) if u in sha])  # fmt: skip
        put("death", [{"death_id": f"x{n}", "record_key": f"|{n}", "source": "a6", "unit_id": u, "death_date": "2025-06-03", "age_years": 70.0,
                       "sex": "male", "cause_text": "Nhiễm HIV" if n % 3 == 0 else "Suy tim", "file_sha256": sha[u], "sheet": "", "row_number": 1}
                      for n, u in enumerate(UNITS)])  # fmt: skip
        put("population", [{"unit_id": u, "year": 2025, "sex": s, "age_group": a, "persons": 900.0, "series": "s", "status": "final",
                            "file_sha256": sha[u], "sheet": "", "row_number": 1}
                           for u in UNITS if u[:4] == "VN20" and len(u) == 12 for s in ("male", "female") for a in AGE_BANDS])  # fmt: skip
        warehouse.attach_restricted()
    with Warehouse(home, write=True) as warehouse:
        warehouse.attach_restricted()
        insert(warehouse, "death_identity", pd.DataFrame([{"death_id": f"x{n}", "full_name": f"Người {u}", "file_sha256": sha[u],
                                                           "sheet": "", "row_number": 1} for n, u in enumerate(UNITS)]), "restricted")  # fmt: skip


def insert(warehouse, table, rows, store="lake"):
    warehouse.con.register("incoming", rows)
    warehouse.con.execute(f"INSERT INTO {store}.{table} BY NAME SELECT * FROM incoming")
    warehouse.con.unregister("incoming")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("walk") / "home"
    prepare_home(home)
    fill(home)
    publish(home)
    for name, (role, unit) in ACCOUNTS.items():
        changes.add_account(home, name, role=role, unit_id=unit, why="kiểm thử")
    changes.grant(home, "vien", THERE, why="nhiệm vụ", until="2999-01-01")
    return home


def nation_rows(home, table):
    return Release(home).query(f'SELECT * FROM "{table}"')


def allowed_units(home, name):
    """What the account may see by the regulation, worked out from the released lists."""
    role, unit = ACCOUNTS[name]
    if role in ("ministry", "administrator"):
        return None
    scopes = nation_rows(home, "organisation_unit").set_index("unit_id")["province_scope"]
    by_default = LINKS[LINKS["is_default"]]
    seen = {unit}
    if role == "province":
        seen |= set(scopes.index[scopes == unit.replace(":", "-")]) | ({FACILITY} if unit == HERE else set())
    elif role == "ministry_unit":
        seen |= set(scopes.index[scopes == THERE.replace(":", "-")])
    else:
        seen |= set(by_default.loc[by_default["new_unit_id"] == unit, "old_unit_id"])
        into = LINKS[LINKS["old_unit_id"] == unit]["new_unit_id"]
        seen |= {new for new in into if set(LINKS.loc[LINKS["new_unit_id"] == new, "old_unit_id"]) == {unit}}
        seen |= {FOREIGN} if unit == NEW else {FACILITY} if unit == OTHER_TARGET else set()
    return seen


def expected_rows(home, name, table):
    rows, units = nation_rows(home, table), allowed_units(home, name)
    if units is None or table in PUBLIC:
        return rows
    if "unit_id" in rows:
        return rows[rows["unit_id"].isin(units)]
    role, unit = ACCOUNTS[name]
    if table == "rule_coverage":
        return rows.assign(judged=None, total=None, findings=0)
    whole = {"province": unit, "ministry_unit": THERE}.get(role, "")
    return rows[rows["scope"] == whole.replace(":", "-")]


def texts(frame):
    """The rows as texts in a fixed order of columns and rows."""
    plain = frame.sort_index(axis=1).astype(object)
    plain = plain.where(plain.notna(), None)
    return sorted(map(str, plain.itertuples(index=False, name=None)))


@pytest.mark.parametrize("name", ACCOUNTS)
def test_every_table_of_a_release_shows_exactly_what_lies_in_the_scope(home, name):
    tables = Release(home).tables()
    assert {"aggregate_value", "death", "finding", "reporting"} <= set(tables)
    expected = {table: texts(expected_rows(home, name, table)) for table in tables}
    with acting_as(home, name):
        release = Release(home)
        for table in tables:
            assert texts(release.query(f'SELECT * FROM "{table}"')) == expected[table], table


def test_the_walk_has_something_to_hide_and_something_to_show(home):
    shown = {name: len(expected_rows(home, name, "aggregate_value")) for name in ACCOUNTS}
    assert shown["vu"] == len(UNITS)
    assert all(0 < shown[name] < len(UNITS) for name in ACCOUNTS if name not in ("vu", "cntt"))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from([one for one in ACCOUNTS if one not in ("vu", "cntt")]), data=st.data())
def test_no_sql_and_no_parameter_widens_a_release(home, name, data):
    """Files named in SQL, another scope, settings, attached databases: refused, or nothing but rows of the scope."""
    release_id = Release(home).release_id
    path = data.draw(st.sampled_from(sorted((home / "releases" / release_id).rglob("*.parquet"))), "file")
    statement = data.draw(
        st.sampled_from(
            [
                f"SELECT * FROM read_parquet('{path}')",
                f"SELECT * FROM '{path}'",
                f"ATTACH 'ducklake:sqlite:{home}/warehouse/catalog.sqlite' AS lake",
                f"COPY (SELECT 1) TO '{home}/out.csv'",
                "SET enable_external_access = true",
                "SET allowed_paths = []",
            ]
        ),
        "statement",
    )
    units = allowed_units(home, name)
    with acting_as(home, name):
        release = Release(home)
        assert release.has("organisation_unit")
        refusal = ""
        try:
            rows = release.query(statement)
        except Exception as error:  # DuckDB's refusal
            refusal = str(error)
            rows = pd.DataFrame()
        if refusal:
            assert "configuration" in refusal or "disabled" in refusal
        else:
            assert path.parts[-3] in PUBLIC or set(rows.get("unit_id", [])) <= units
    from tkyt_analysis.access import Scope

    outside = data.draw(st.sampled_from([unit for unit in UNITS if unit not in units and unit[:2] == "VN"]), "outside")
    wider = Scope(nation=True) if outside == "VN" else Scope(units=frozenset({outside}))
    with acting_as(home, name), pytest.raises(TkytError):
        Release(home, scope=wider)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(list(ACCOUNTS)),
    place=st.sampled_from(UNITS),
    door=st.sampled_from(["view", "app", "report", "identities"]),
)
def test_asking_for_a_place_outside_is_refused_with_a_sentence_at_every_door(home, name, place, door):
    units = allowed_units(home, name)
    asks = {"view": ask_view, "app": ask_app, "report": ask_report, "identities": ask_identities}[door]
    with acting_as(home, name):
        problem, rows = asks(home, place)
    assert problem == "" or len(problem) > 20
    if units is not None:
        assert rows <= units
        if place not in units:
            assert problem


def ask_view(home, place):
    from tkyt_analysis.reports.quality_data import QualityView

    try:
        view = QualityView(Release(home), place, "202506")
        return "", set(view.findings["unit_id"]) | set(view.reports["unit_id"]) if place in view.units[
            "unit_id"
        ].tolist() else set()
    except TkytError as error:
        return error.sentence(), set()


def ask_app(home, place):
    from tkyt_analysis.dashboards.overview import OverviewApp

    app = OverviewApp(home)
    if app.error:
        return app.error, set()
    offered = {value for _, value in app.commune.options} - {""}
    app.choose(place)
    return app.error, offered | (set(app.table.get("row_unit", [])) if not app.error else set())


def ask_report(home, place):
    """The place is judged before a notebook runs: that it would run is enough here."""
    from tkyt_analysis.reports import runner
    from tkyt_analysis.reports.templates import report_template, typed_parameters

    template = report_template("data_quality_monthly")
    try:
        values = typed_parameters(template, {"place": place, "period": "202506"})
        runner._require_places(template, values, Release(home))
    except TkytError as error:
        return error.sentence(), set()
    return "", set()


def ask_identities(home, place):
    try:
        rows = read_identities(home, why="kiểm thử", unit_id=place)
    except TkytError as error:
        return error.sentence(), set()
    return "", {name.removeprefix("Người ") for name in rows["full_name"]}


@pytest.mark.parametrize("name", [one for one in ACCOUNTS if one not in ("vu", "cntt")])
def test_commands_tell_an_account_below_the_nation_of_its_own_files_only(home, name, capsys, monkeypatch):
    units = allowed_units(home, name)
    monkeypatch.setenv("TKYT_ACTING_AS", name)
    assert run(["status", "--home", str(home), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["files"] == said["received"] == len(set(UNITS) & units)
    assert said["findings"] == len(set(UNITS) & units)
    for command in (
        ["check"],
        ["publish"],
        ["portal", "build"],
        ["scope", "add", "x", "--role", "facility", "--unit", NEW, "--why", "x"],
    ):
        assert run([*command, "--home", str(home)]) == 2, command
    figures = nation_rows_of_owner(home, monkeypatch)["figure_id"]
    inside = figures.str.split("|").str[1].isin(units)
    for figure in [*figures[inside][:1], *figures[~inside][:1]]:
        code = run(["explain", figure, "--home", str(home), "--json"])
        printed = capsys.readouterr().out
        assert code == (0 if figure.split("|")[1] in units else 2), figure
        own = {f"tep_{number}.xlsx" for number, unit in enumerate(UNITS) if unit in units}
        assert {row["file_name"] for row in json.loads(printed)["rows"]} <= own if code == 0 else printed == ""


def nation_rows_of_owner(home, monkeypatch):
    with monkeypatch.context() as patch:
        patch.delenv("TKYT_ACTING_AS")
        rows = nation_rows(home, "indicator_value")
    return rows.drop_duplicates("unit_id")


def test_names_come_only_for_units_of_the_scope_and_hiv_rows_only_with_their_grant(home, monkeypatch):
    from tkyt_analysis.access import door
    from tkyt_analysis.access.accounts import account_of

    for grants in ({"identifiers"}, {"identifiers", "hiv"}):
        for name in ("so-51", "benh-vien"):
            account = account_of(read_accounts(home)[name], read_accounts(home))
            with monkeypatch.context() as patch:
                patch.setattr(
                    door,
                    "_own_account",
                    lambda home, records, a=account, g=grants: type(a)(**{**vars(a), "grants": frozenset(g)}),
                )
                rows = read_identities(home, why="kiểm thử")
            mine = [(number, unit) for number, unit in enumerate(UNITS) if unit in allowed_units(home, name)]
            known = {f"Người {unit}" for number, unit in mine if number % 3 or "hiv" in grants}
            assert set(rows["full_name"]) == known
            assert rows.attrs["hiv_left_out"] == len(mine) - len(known)


def test_without_a_reason_or_a_log_no_name_is_handed_out(home, monkeypatch):
    from tkyt_analysis.access import identifiers
    from tkyt_analysis.errors import InputError, ProcessingError

    with pytest.raises(InputError):
        read_identities(home, why="  ")

    with monkeypatch.context() as report:  # the kernel of a report: what it shows leaves the workbench
        report.setenv("TKYT_RESULT_FILE", "result.json")
        with pytest.raises(InputError, match="định danh"):
            read_identities(home, why="kiểm thử")

    def broken(*given, **more):
        raise ProcessingError("error.audit_not_written", file="x", problem="x")

    monkeypatch.setattr(identifiers, "record", broken)
    with pytest.raises(ProcessingError):
        read_identities(home, why="kiểm thử")
