"""`import tkyt_analysis as tk` on a practice home: asked in words, computed when shown, seen with the account's rights."""

import datetime
import io
import re
import shutil
import subprocess
import sys
import threading
from contextlib import redirect_stdout

import pandas as pd
import pytest
from matplotlib.text import Text
from support import REPOSITORY

import tkyt_analysis as tk
from tkyt_analysis import cube
from tkyt_analysis.access import acting_as, changes
from tkyt_analysis.api import opening
from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.labels import label
from tkyt_analysis.warehouse.release import Release, current_release

COMMUNE = "VN2025:21115"


@pytest.fixture
def bench(practice_home):
    yield tk.open(practice_home)
    opening._now = None


@pytest.fixture(scope="module")
def own_home(practice_home, tmp_path_factory):
    """A copy that accounts and releases may be added to."""
    home = tmp_path_factory.mktemp("tk") / "home"
    shutil.copytree(practice_home, home)
    changes.add_account(home, "so-51", role="province", unit_id="VN2025:51", why="kiểm thử")
    changes.add_account(home, "so-01", role="province", unit_id="VN2025:01", why="kiểm thử")
    changes.add_account(home, "tram", role="facility", unit_id=COMMUNE, why="kiểm thử")
    changes.add_account(home, "vu", role="ministry", unit_id="VN", why="kiểm thử")
    yield home
    opening._now = None


def refusal(call):
    with pytest.raises(TkytError) as error:
        call()
    return error.value.sentence("vi")


def test_importing_brings_no_heavy_library_and_the_packages_stay_packages():
    heavy = "pandas duckdb numpy yaml matplotlib pyarrow scipy"
    code = (
        f"import sys, tkyt_analysis as tk; assert not set('{heavy}'.split()) & set(sys.modules), sys.modules.keys();"
        "from tkyt_analysis.catalog import load_entries; assert tk.catalog.load_entries is load_entries;"
        "assert callable(tk.catalog.search) and callable(tk.indicator) and 'indicator' in dir(tk)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_rate_is_the_cubes_own(bench):
    table = tk.indicator("Tỷ suất chết thô", by=["tỉnh", "năm"], period="2024..2025").table()
    assert len(table)
    for row in table.itertuples():
        assert row.value == pytest.approx(1000 * row.numerator / row.denominator)
    view = cube.View(("crude_death_rate",), ("province", "year"), period="2024..2025")
    pd.testing.assert_series_equal(
        pd.Series(table["value"]), cube.evaluate(bench.release, view).rows["value"], check_names=False
    )


def test_nothing_is_asked_before_it_is_shown_and_then_once(bench, monkeypatch):
    bench.indicator("deaths")  # names are known from here on
    asked = []
    real = cube.evaluate
    monkeypatch.setattr(
        cube, "evaluate", lambda *args, **options: asked.append(args) or real(*args, **options), raising=False
    )
    question = (
        tk.deaths(by="year").only(sex="nữ").within("Quảng Ngãi").period("2024..2025").by("sex", "year").on("VN2025")
    )
    assert question  # to ask whether there is one computes nothing
    assert asked == []
    assert repr(question)
    assert question.table() is not None
    assert question._repr_html_()
    assert list(question)
    assert len(asked) == 1


def test_regrouping_a_table_measures_again_instead_of_averaging(bench):
    table = tk.indicator("crude_death_rate", by=["commune", "year"], period="2025").table()
    whole = table.by("year").table()
    assert whole["value"][0] == pytest.approx(1000 * table["numerator"].sum() / table["denominator"].sum())
    assert whole["value"][0] != pytest.approx(pd.DataFrame(table)["value"].mean())


def test_what_was_filtered_away_stays_away_when_regrouped(bench):
    table = tk.deaths(by=["commune", "year"], period="2024..2025").table()
    kept = table[table["year"] == "2025"]
    assert kept.by("year").table()["value"].sum() == kept["value"].sum() < table["value"].sum()
    largest = table.nlargest(3, "value")
    assert "3" in refusal(lambda: largest.by("year"))


def test_names_resolve_and_wrong_ones_are_sentences(bench):
    by_id = tk.deaths(where={"sex": "female"}, period="2025").table()["value"][0]
    assert tk.deaths(where={"giới": "nữ"}, period=2025).table()["value"][0] == by_id
    assert tk.deaths(period=2025).only(gioi="nu").table()["value"][0] == by_id
    assert "crude_death_rate (Tỷ suất chết thô)" in refusal(lambda: tk.indicator("crude_deth_rate"))
    assert "province" in refusal(lambda: tk.deaths(by="provnce"))
    assert "female" in refusal(lambda: tk.deaths(where={"sex": "femal"}).table())
    assert '.only(sex="nữ")' in refusal(lambda: tk.deaths(giới="nữ"))
    assert "period" in refusal(lambda: tk.deaths(peroid="2025"))
    assert "by" in refusal(lambda: tk.indicator("crude_death_rate", bye="year"))
    assert "icd10_chapters" in refusal(lambda: tk.deaths(by="cause", cause_list="icd10_chapter"))


def test_reported_values_answer_to_id_code_and_name(bench):
    rows = bench.release.query(
        "SELECT dataset_id, e.element_id, code, e.name, sum(v.value) AS total FROM data_element e JOIN aggregate_value v "
        "USING (dataset_id, element_id) WHERE code <> '' AND e.name IN "
        "(SELECT name FROM data_element GROUP BY 1 HAVING count(*) = 1) GROUP BY ALL ORDER BY total DESC LIMIT 1"
    )
    row = rows.iloc[0]
    by_id, by_code, by_name = (
        tk.values(one).table()["value"][0] for one in (f"{row.dataset_id}/{row.element_id}", row["code"], row["name"])
    )
    assert by_id == by_code == by_name == row["total"]
    twice = bench.release.query(
        "SELECT name, count(DISTINCT dataset_id) AS n FROM data_element JOIN aggregate_value USING (dataset_id, element_id) "
        "GROUP BY 1 HAVING n > 1 ORDER BY 1"
    )
    assert "/" in refusal(lambda: tk.values(twice["name"][0]))  # both ids are named, none is guessed


def test_reporting_is_received_of_due(bench):
    dataset = bench.release.query("SELECT dataset_id FROM reporting WHERE expected GROUP BY 1 ORDER BY 1").iloc[0, 0]
    row = tk.reporting(dataset).table().iloc[0]
    due = bench.release.query(
        "SELECT count(*) FILTER (WHERE received AND expected) AS got, count(*) FILTER (WHERE expected) AS due FROM reporting "
        f"WHERE dataset_id = '{dataset}'"
    ).iloc[0]
    assert row["denominator"] == due["due"]
    assert row["value"] == pytest.approx(100 * row["numerator"] / row["denominator"])


def test_search_is_the_same_with_and_without_accents(bench):
    found, folded = tk.catalog.search("tử vong mẹ"), tk.catalog.search("tu vong me")
    assert list(found["id"]) == list(folded["id"])
    assert "Số tử vong mẹ" in set(found["name"])
    line = found.loc[found["name"] == "Số tử vong mẹ", "use"].iloc[0]
    assert len(eval(line).table())  # the line can be copied into a cell
    assert set(tk.catalog.search("tử vong", kind="rule")["kind"]) == {"quy tắc kiểm tra"}


def test_search_finds_in_the_catalog_where_there_is_no_release(tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_HOME", str(tmp_path / "nothing"))
    opening._now = None
    assert "crude_death_rate" in set(tk.catalog.search("ty suat chet tho")["id"])


def test_sql_reads_and_only_reads(bench):
    deaths = tk.sql("SELECT year, count(*) AS n FROM death WHERE coalesce(excluded, '') = '' GROUP BY 1 ORDER BY 1")
    assert deaths["n"].sum() == tk.deaths().table()["value"][0]
    assert deaths.about.passport["release"] == bench.release.release_id
    mine = pd.DataFrame({"year": [2025]})
    assert len(tk.sql("SELECT * FROM mine JOIN death USING (year)", mine=mine))
    release = bench.release.directory
    part = next(iter(release.rglob("*.parquet")))
    assert len(tk.sql("FROM death LIMIT 1")) == 1
    assert "death" in refusal(lambda: tk.sql("SELECT * FROM deth"))
    assert "year" in refusal(lambda: tk.sql("SELECT yaer FROM death"))
    for query in (
        "DROP VIEW death",
        "SET threads = 8",
        "COPY death TO '/tmp/x.csv'",
        "ATTACH '/tmp/x.db'",
        "CREATE TABLE x AS SELECT 1",
    ):
        assert "SELECT" in refusal(lambda query=query: tk.sql(query)), query
    assert "2" in refusal(lambda: tk.sql("SELECT 1; SELECT 2"))
    for query in (
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
    ):
        assert refusal(lambda query=query: tk.sql(query)), query
    assert part.exists()
    assert "DuckDB" in refusal(lambda: tk.sql("SELEC 1"))


def test_a_result_too_large_for_a_notebook_is_refused_with_a_sentence(bench, monkeypatch):
    monkeypatch.setattr("tkyt_analysis.api.sql.MOST_MEGABYTES", 1)
    assert "GROUP BY" in refusal(lambda: tk.sql("SELECT range AS a FROM range(1_000_000)"))


def test_tables_and_columns_say_what_they_mean(bench):
    tables = tk.tables()
    assert set(tables["table"]) == set(bench.release.tables())
    assert not set(tables["what"]) & {"", "–"}
    columns = tk.columns("death")
    assert "underlying_cause" in set(columns["column"])
    assert not set(columns["what"]) & {"", "–"}
    own = {"aggregate_value", "death", "finding", "indicator_value", "place", "reporting", "submission"}
    unsaid = {name: set(tk.columns(name).loc[lambda rows: rows["what"] == "–", "column"]) for name in own}
    assert unsaid == dict.fromkeys(own, set())
    assert "death" in refusal(lambda: tk.columns("deth"))


def test_an_explained_rate_has_its_numbers_and_exactly_its_rows(bench):
    table = tk.indicator("crude_death_rate", by=["commune", "year"]).table()
    row = table[table["status"] != "not_assessable"].iloc[0]
    found = tk.explain(row)
    deaths = found.rows[found.rows["part"] == "numerator"]
    assert len(deaths) == row["numerator"]
    assert found.files["rows"].sum() == len(found.rows)
    assert any("÷" in line and "1.000" in line for line in found.sentences)
    assert "file_name" in found.rows
    assert "full_name" not in found.rows


def test_an_explained_count_sums_its_received_cells(bench):
    measure = next(
        one for one in bench.measures.values() if one.numerator.startswith("element:") and "month" in one.dimensions
    )
    row = tk.values(measure.id, by=["province", "month"]).table().iloc[0]
    rows = tk.explain(row).rows
    values = rows["what"].str.rsplit(": ", n=1).str[1].str.replace(".", "").str.replace(",", ".").astype(float)
    assert values.sum() == pytest.approx(row["value"])
    assert rows["row_number"].notna().all()


def test_a_published_figure_is_explained_by_its_id(bench):
    figure = bench.release.query("SELECT figure_id FROM indicator_value WHERE status <> 'not_assessable' LIMIT 1").iloc[
        0, 0
    ]
    assert figure in tk.explain(figure).sentences[0]
    rows = tk.sql("SELECT figure_id, unit_id FROM indicator_value WHERE figure_id = '" + figure + "'")
    assert tk.explain(rows.iloc[0]).sentences == tk.explain(rows).sentences == tk.explain(figure).sentences
    assert "no|such|figure" in refusal(lambda: tk.explain("no|such|figure"))
    assert "iloc" in refusal(lambda: tk.explain(3.5))


def test_a_pivot_and_a_chart_come_from_the_explorers_own_code(bench, tmp_path):
    from tkyt_analysis.explorer.layout import Layout
    from tkyt_analysis.explorer.source import Source

    question = tk.indicator("crude_death_rate", by=["commune", "year"])
    shown = question.pivot(rows=["commune"], columns=["year"])
    other = Source(bench.release).pivot(question.view, Layout(rows=("commune",), columns=("year",)))
    assert (shown.pivot.shown == other.shown).all() or pd.DataFrame(shown.pivot.shown).equals(pd.DataFrame(other.shown))
    assert "<table" in shown._repr_html_()
    assert "<svg" in question.plot()._repr_html_()
    assert question.plot("bar").save(tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")
    assert ".png" in refusal(lambda: question.plot().save(tmp_path / "rates.bmp"))
    assert "rows" in refusal(lambda: question.pivot(row=["commune"]))
    assert ".by(" in refusal(lambda: tk.deaths().plot())


# --- rights ---


def test_an_account_sees_its_own_units_only(own_home):
    with acting_as(own_home, "vu"):
        all_deaths = tk.open(own_home).deaths(by="commune", period="2025").table()
    with acting_as(own_home, "tram"):
        bench = tk.open(own_home)
        own = tk.deaths(by="commune", period="2025").table()
        assert set(own["commune"]) == {COMMUNE}
        assert (
            own["value"].sum()
            == all_deaths.loc[all_deaths["commune"] == COMMUNE, "value"].sum()
            < all_deaths["value"].sum()
        )
        assert set(tk.sql("SELECT unit_2025 FROM death")["unit_2025"]) == {COMMUNE}
        assert "VN2025:01" in refusal(lambda: tk.deaths().within("Hà Nội"))
        assert "Trà Bồng" in repr(bench)
        files = bench.release.directory
        query = f"SELECT * FROM read_parquet('{files}/tables/death/*/*.parquet')"
        assert refusal(lambda: tk.sql(query))
        assert "VN" in refusal(lambda: tk.deaths(place="VN"))
        row = tk.deaths(by="year", period="2025").table().iloc[0]
        assert len(tk.explain(row).rows) == row["value"]
        foreign = all_deaths[all_deaths["commune"] != COMMUNE].iloc[0]
        assert len(tk.explain(foreign).rows) == 0  # a row got from someone else opens nothing
    with acting_as(own_home, "so-01"):
        tk.open(own_home)
        assert "so-01" in refusal(lambda: tk.deaths(by="commune"))  # Hà Nội has sent nothing to this home


def test_small_numbers_are_hidden_from_an_account_as_on_the_explorers_screen(own_home):
    from tkyt_analysis.explorer.layout import Layout
    from tkyt_analysis.explorer.source import Source

    asked = {"by": ["commune", "cause"], "period": "2024..2025"}
    with acting_as(own_home, "so-51"):
        question = tk.open(own_home).deaths(**asked)
        hidden = question.table().query("status == 'suppressed'")
        assert len(hidden)
        assert hidden[["value", "numerator"]].isna().all(axis=None)
        assert label("api.mark.suppressed") in repr(hidden)
        screen = Source(Release(own_home)).pivot(question.view, Layout(rows=("commune", "cause"), totals=False))
        assert (screen.status == "suppressed").sum() == len(hidden)
        assert "suppressed" not in set(tk.deaths(by="commune").table()["status"])  # not about a cause


def test_a_workbench_opened_by_one_account_does_not_serve_another(own_home):
    with acting_as(own_home, "vu"):
        tk.open(own_home)
        nation = tk.deaths(period="2025").table()["value"].sum()
    with acting_as(own_home, "tram"):  # without opening anew
        assert tk.deaths(period="2025").table()["value"].sum() < nation


def test_as_of_opens_what_was_known_then_and_moves_no_pointer(own_home):
    before = current_release(own_home)
    snapshot = Release(own_home).manifest["snapshot"]
    with acting_as(own_home, "vu"):
        assert tk.open(own_home, as_of=snapshot).release.manifest["snapshot"] == snapshot
        assert tk.open(own_home, as_of=datetime.date(2999, 1, 1)).release.manifest["snapshot"] >= snapshot
        assert "1999" in refusal(lambda: tk.open(own_home, as_of="1999-01-01"))
        assert "99999" in refusal(lambda: tk.open(own_home, as_of=99999))
        assert refusal(lambda: tk.open(own_home, release=before, as_of=snapshot))
        assert tk.open(own_home, release=before[:-2]).release.release_id == before
        assert before in refusal(lambda: tk.open(own_home, release="R999"))
    assert current_release(own_home) == before


def test_who_may_not_publish_gets_the_nearest_release_before_or_a_sentence(own_home):
    count = len(list((own_home / "releases").glob("R*")))
    with acting_as(own_home, "so-51"):
        assert (
            tk.open(own_home, as_of="2999-01-01").release.manifest["snapshot"] <= Release(own_home).manifest["snapshot"]
        )
        assert "Vụ" in refusal(lambda: tk.open(own_home, as_of=2))
    assert len(list((own_home / "releases").glob("R*"))) == count


# --- in IPython ---


@pytest.fixture(scope="module")
def shell():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    yield shell
    InteractiveShell.clear_instance()


def output_of(shell, cell):
    said = io.StringIO()
    with redirect_stdout(said):
        shell.run_cell(cell)
    return said.getvalue()


def test_a_mistake_shows_as_its_sentence_without_a_traceback(shell, practice_home):
    output_of(shell, f"import tkyt_analysis as tk\ntk.open({str(practice_home)!r})")
    said = output_of(shell, "tk.indicator('crude_deth_rate')")
    assert "Traceback" not in said
    assert "line 1" not in said
    assert "crude_death_rate" in said
    assert "Traceback" in output_of(shell, "1 / 0")  # other people's errors stay as they are
    opening._now = None


def test_what_is_read_ahead_in_a_notebook_never_meets_the_first_question(shell, practice_home, monkeypatch):
    import scipy.special  # noqa: F401

    from tkyt_analysis.api.workbench import Workbench

    slow = threading.Event()
    real = Workbench._get_ready
    monkeypatch.setattr(Workbench, "_get_ready", lambda bench: (slow.wait(0.5), real(bench)))
    asked = []
    measures = cube.measures
    monkeypatch.setattr(cube, "measures", lambda release: asked.append(release) or measures(release), raising=False)
    output_of(shell, f"import tkyt_analysis as tk\nbench = tk.open({str(practice_home)!r})")
    assert asked == []  # the cell came back before
    bench = shell.user_ns["bench"]
    answered = threading.Thread(target=lambda: bench.deaths().table(), daemon=True)
    answered.start()
    answered.join(300)
    assert not answered.is_alive()
    assert len(asked) == 1  # by the one that read ahead; the question waited for it
    opening._now = None


def test_a_sql_cell_shows_and_keeps_its_table(shell, practice_home):
    output_of(shell, f"import tkyt_analysis as tk\ntk.open({str(practice_home)!r})")
    said = output_of(shell, "%%sql deaths_by_year\nSELECT year, count(*) AS n FROM death GROUP BY 1")
    assert "Traceback" not in said
    assert shell.user_ns["deaths_by_year"]["n"].sum() > 0
    said = output_of(shell, "%%sql\nSELECT * FROM deth")
    assert "Traceback" not in said
    assert "death" in said
    opening._now = None


def test_errors_are_still_errors_to_code(bench):
    with pytest.raises(InputError):
        tk.indicator("crude_deth_rate")


# --- the guide ---


def test_every_example_of_the_guide_runs(shell, practice_home, tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_HOME", str(practice_home))
    monkeypatch.chdir(tmp_path)
    opening._now = None
    text = (REPOSITORY / "docs" / "phan_tich.md").read_text("utf-8")
    cells = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(cells) == 16
    for cell in cells:
        for line in cell.strip().splitlines():
            found = shell.run_cell(line)
            assert found.success, line
            if type(found.result).__name__ == "Figure":  # its own HTML is None outside a web backend
                assert any(axes.has_data() for axes in found.result.axes), line
                assert "mô phỏng" in " ".join(text.get_text() for text in found.result.findobj(Text)), line
            elif hasattr(found.result, "_repr_html_"):
                assert "<" in found.result._repr_html_(), line
            if type(found.result).__name__ in ("FigureTable", "Question"):
                assert len(found.result), line
    opening._now = None
