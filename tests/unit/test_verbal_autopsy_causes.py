"""Verbal autopsies from a file or a home to causes, codes, fractions and comparisons; the bridge to the R programs."""

import json

import numpy as np
import pandas as pd
import pytest
from coder_support import add_coders
from support import probability_base_path, table

from mortality.tabulation.cause_lists import load_cause_list
from mortality.verbal_autopsy import probability_base
from mortality.verbal_autopsy.agreement import agreement, chance_corrected_concordance, concordance_by_cause
from mortality.verbal_autopsy.causes import cause_titles, with_codes
from mortality.verbal_autopsy.comparison import compare_files
from mortality.verbal_autopsy.csmf import fractions_with_limits
from mortality.verbal_autopsy.exchange import read_results
from mortality.verbal_autopsy.files import read_interviews
from mortality.verbal_autopsy.home import interviews_of_home
from mortality.verbal_autopsy.indicators import indicator_names
from mortality.verbal_autopsy.interva import cause_fractions
from mortality.verbal_autopsy.probability_base import read_probability_base
from mortality.verbal_autopsy.run import causes_from_results, choose_level, without_hiv
from tkyt_analysis.access import acting_as
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.cli.main import run
from tkyt_analysis.errors import InputError
from tkyt_analysis.warehouse.lake import Warehouse, create_home

COMMUNE = "VN2025:21115"
RESULTS = """ID,PREGSTAT,PREGLIK,PRMAT,CAUSE1,LIK1,CAUSE2,LIK2,CAUSE3,LIK3,INDET,COMCAT,COMNUM
a,n/a, ,,Stroke,98, ,, ,,2,Inevitable,99
b,n/a, ,,Reproductive neoplasms MF,60,Stroke,40, ,,0,Multiple,
c,n/a, ,,HIV/AIDS related death,100, ,, ,,0,Culture,91
d,n/a, ,, ,, ,, ,,100,Culture,60
"""


def key_of(action):
    with pytest.raises(InputError) as caught:
        action()
    return caught.value.key


def interviews(path, *, levels=("low", "veryl"), rows=3):
    """A small export with groups before the questions: three people with a cough of months, fever and weight loss."""
    about, signs = "consented-info_on_deceased-", "consented-illhistory-signs-"
    frame = pd.DataFrame(
        {
            "presets-Id10002": levels[0], "presets-Id10003": levels[1], f"{about}Id10019": ["male", "female", "male"][:rows],
            f"{about}ageInDays": ["20000", "25000", "9000"][:rows], f"{signs}Id10147": "yes", f"{signs}Id10148_units": "months",
            f"{signs}Id10148_c": "2", f"{signs}Id10153": "yes", f"{signs}Id10154_units": "months", f"{signs}Id10154_b": ["3", "99", "2"][:rows],
            f"{signs}Id10155": "yes", f"{signs}Id10157": "yes", f"{signs}Id10152": "yes", f"{signs}Id10243": "yes",
            f"{signs}Id10244": ["yes", "co", "dk"][:rows], "meta-instanceID": [f"uuid:{n}" for n in range(rows)],
        }
    )  # fmt: skip
    path.write_text("# Số liệu mô phỏng\n" + frame.to_csv(index=False), "utf-8")
    return path


# ------------------------------------------------------------------------------------------------ codes


def test_each_icd10_code_is_counted_in_the_item_of_whos_list_that_the_cause_stands_for():
    rows = read_codelist("verbal_autopsy_causes").query("icd10 != ''")
    expected = rows["va_code"].replace({"VAs-11.01": "VAs-11", "VAs-11.02": "VAs-11"})
    assert load_cause_list("who_va_2016").item_of(rows["icd10"]).tolist() == expected.tolist()
    without = read_codelist("verbal_autopsy_causes").query("icd10 == ''")["va_code"].tolist()
    assert without == ["VAs-98"]


def test_the_causes_are_those_of_the_probability_base_in_its_order():
    probability_base_path()
    base = read_probability_base(probability_base_path())
    assert cause_titles() == list(base.titles[base.groups["cause"]])


def test_sex_and_age_tell_which_of_two_items_a_cause_is():
    causes = ["Reproductive neoplasms MF"] * 3 + ["Tetanus"] * 2
    summary = pd.DataFrame({"id": list("abcde"), "cause_1": causes, "cause_2": "", "cause_3": ""})
    summary = summary.assign(likelihood_1=1.0, likelihood_2=np.nan, likelihood_3=np.nan)
    sex = np.array(["female", "male", "", "male", "male"])
    coded = with_codes(summary, sex=sex, newborn=np.array([False, False, False, True, False]))
    assert coded["va_code_1"].tolist() == ["VAs-02.05", "VAs-02.06", "VAs-02.05;VAs-02.06", "VAs-10.05", "VAs-01.08"]
    assert coded["icd10_1"].tolist() == ["C57.9", "C63.9", "", "A33", "A35"]
    assert coded["title_1"].iloc[2] == "Ung thư cơ quan sinh dục nữ / Ung thư cơ quan sinh dục nam"


# ------------------------------------------------------------------------------------------------ the bridge


def test_results_of_the_r_program_come_in_as_shares_with_codes(tmp_path):
    (tmp_path / "r.csv").write_text(RESULTS, "utf-8")
    summary = read_results(tmp_path / "r.csv")
    assert summary["likelihood_1"].tolist()[:3] == [0.98, 0.6, 1.0]
    assert summary["undetermined"].tolist() == pytest.approx([0.02, 0, 0, 1])
    coded = causes_from_results(summary).table
    assert coded["va_code_1"].tolist() == ["VAs-04.02", "VAs-02.05;VAs-02.06", "VAs-01.03", "VAs-99"]
    assert coded.loc[1, ["cause_2", "icd10_2"]].tolist() == ["Stroke", "I64"]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("LIK1", "PROB1", "error.verbal_autopsy_results"), ("Stroke,98", "Stroke,198", "error.verbal_autopsy_likelihood"),
        ("Stroke,98", "Đột quỵ,98", "error.verbal_autopsy_cause"),
    ],
)  # fmt: skip
def test_results_that_are_none_are_refused(tmp_path, old, new, key):
    (tmp_path / "r.csv").write_text(RESULTS.replace(old, new), "utf-8")
    assert key_of(lambda: read_results(tmp_path / "r.csv")) == key


def test_interviews_beside_the_results_tell_sex(tmp_path, capsys):
    probability_base_path()
    source = interviews(tmp_path / "va.csv")
    (tmp_path / "r.csv").write_text(RESULTS.replace("\nb,", "\nuuid:1,"), "utf-8")
    assert run(["deaths", "va", str(source), "--results", str(tmp_path / "r.csv"), "-o", str(tmp_path / "o.csv")]) == 0
    assert pd.read_csv(tmp_path / "o.csv").set_index("id").loc["uuid:1", "va_code_1"] == "VAs-02.05"  # a woman


def test_exported_indicators_are_what_the_program_reads_back(tmp_path):
    source = interviews(tmp_path / "va.csv")
    assert run(["deaths", "va", str(source), "--indicators", str(tmp_path / "i.csv")]) == 0
    out = pd.read_csv(tmp_path / "i.csv", dtype=str)
    assert list(out.columns) == ["ID", *indicator_names()]
    assert set(out.drop(columns="ID").stack()) == {"y", "n", "."}
    first, again = (read_interviews(path)[0] for path in (source, tmp_path / "i.csv"))
    np.testing.assert_array_equal(first.answers, again.answers)
    assert first.ids.tolist() == again.ids.tolist() == ["uuid:0", "uuid:1", "uuid:2"]


# ------------------------------------------------------------------------------------------------ files and the command


def test_an_export_becomes_causes_fractions_changes_and_coverage(tmp_path, capsys):
    probability_base_path()
    names = ("causes", "csmf", "changes", "coverage")
    files = {name: tmp_path / f"{name}.csv" for name in names}
    options = [*sum((["--" + name, str(files[name])] for name in names[1:]), []), "-o", str(files["causes"])]
    assert run(["deaths", "va", str(interviews(tmp_path / "va.csv")), *options, "--replicates", "20"]) == 0
    said = capsys.readouterr().out
    assert "Id10244 = co (1)" in said
    assert "không đáng tin để công bố" in said  # few of the questions
    causes = pd.read_csv(files["causes"])
    assert causes["id"].tolist() == ["uuid:0", "uuid:1", "uuid:2"]
    assert (
        causes["va_code_1"].tolist()[0] == "VAs-01.09"
    )  # two months of fever and cough with blood, wasted: tuberculosis
    fractions = pd.read_csv(files["csmf"])
    assert fractions["fraction"].sum() == pytest.approx(1)
    assert len(fractions) == len(cause_titles()) + 1
    assert pd.read_csv(files["coverage"]).set_index("indicator").loc["i154b", "known"] == 2  # one said 99


def test_levels_come_from_the_interviews_unless_they_differ_or_say_none(tmp_path):
    assert read_interviews(interviews(tmp_path / "va.csv"))[1] == {"hiv": {"l"}, "malaria": {"v"}}
    assert choose_level("hiv", None, {"l"}) == "l"
    assert choose_level("hiv", "h", {"l"}) == "h"
    assert key_of(lambda: choose_level("hiv", None, set())) == "error.verbal_autopsy_no_level"
    assert key_of(lambda: choose_level("hiv", None, {"l", "h"})) == "error.verbal_autopsy_levels"


def test_without_the_probability_base_the_sentence_says_where_to_get_it_and_the_bridge_works(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.delenv(probability_base.SETTING, raising=False)
    monkeypatch.setattr(probability_base, "find_spec", lambda name: None)
    source = interviews(tmp_path / "va.csv")
    assert (
        run(["deaths", "va", str(source), "-o", str(tmp_path / "o.csv"), "--indicators", str(tmp_path / "i.csv")]) == 3
    )
    assert "vacheck" in capsys.readouterr().err
    assert (tmp_path / "i.csv").exists()
    assert not (tmp_path / "o.csv").exists()
    (tmp_path / "r.csv").write_text(RESULTS, "utf-8")
    assert run(["deaths", "va", "--results", str(tmp_path / "r.csv"), "-o", str(tmp_path / "o.csv")]) == 0
    assert "Điều 30" in capsys.readouterr().out  # one of the deaths is from HIV


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ("a,b\n1,2\n", "error.verbal_autopsy_table"), (None, "error.verbal_autopsy_file"),
        ("ID," + ",".join(indicator_names()[:12]) + "\n", "error.verbal_autopsy_no_rows"),
        ("ID," + ",".join(indicator_names()[:12]) + "\na,y\n", "error.verbal_autopsy_broken"),
        ("ID," + ",".join(indicator_names()[:12]) + "\na" + ",88" * 12 + "\n", "error.verbal_autopsy_answer"),
    ],
)  # fmt: skip
def test_files_that_hold_no_interviews_are_refused_with_a_reason(tmp_path, content, key):
    if content is not None:
        (tmp_path / "x.csv").write_text(content, "utf-8")
    assert key_of(lambda: read_interviews(tmp_path / "x.csv")) == key


def test_a_command_without_a_target_or_with_what_results_cannot_give_is_refused(tmp_path, capsys):
    source = str(interviews(tmp_path / "va.csv"))
    assert run(["deaths", "va", source]) == 2
    assert run(["deaths", "va", "--results", source, "--changes", str(tmp_path / "c.csv")]) == 2


# ------------------------------------------------------------------------------------------------ fractions, comparison


SUMMARY = pd.DataFrame(
    {
        "cause_1": ["Stroke", "Stroke", "Malaria", ""], "likelihood_1": [1.0, 0.5, 0.9, np.nan],
        "cause_2": ["", "Malaria", "", ""], "likelihood_2": [np.nan, 0.4, np.nan, np.nan], "cause_3": "", "likelihood_3": np.nan,
        "undetermined": [0.0, 0.1, 0.1, 1.0],
    }
)  # fmt: skip


def test_fractions_are_the_means_of_likelihoods_with_limits_that_hold_them():
    found = fractions_with_limits(SUMMARY, ["Malaria", "Stroke"], replicates=200).set_index("cause")
    assert found["fraction"].to_dict() == pytest.approx(
        {"Malaria": (0.4 + 0.9) / 4, "Stroke": (1 + 0.5) / 4, "Undetermined": (0.1 + 0.1 + 1) / 4}
    )
    assert (found["lower"] <= found["fraction"]).all()
    assert (found["fraction"] <= found["upper"]).all()
    expected = cause_fractions(SUMMARY, ["Malaria", "Stroke"])
    assert found["fraction"].to_dict() == pytest.approx(expected.to_dict())


def test_the_same_seed_gives_the_same_limits():
    one, two, other = (fractions_with_limits(SUMMARY, ["Malaria", "Stroke"], replicates=50, seed=n) for n in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert not one[["lower", "upper"]].equals(other[["lower", "upper"]])


PAIRS = pd.DataFrame({"true": list("aaaabbbbcc"), "predicted": list("aaabbbbacb")})


def test_concordance_by_cause_is_the_published_formula_with_limits():
    found = concordance_by_cause(PAIRS, replicates=200).set_index("cause")
    # three causes; of four deaths from a three are found: (3/4 - 1/3) / (1 - 1/3)
    assert found.loc["a", ["deaths", "found"]].tolist() == [4, 3]
    assert found.loc["a", "ccc"] == pytest.approx((3 / 4 - 1 / 3) / (1 - 1 / 3))
    assert found["ccc"].to_dict() == pytest.approx(chance_corrected_concordance(PAIRS).to_dict())
    assert ((found["lower"] <= found["ccc"]) & (found["ccc"] <= found["upper"])).all()
    overall = agreement(PAIRS, replicates=10).set_index("measure")["value"]
    assert found["ccc"].mean() == pytest.approx(overall["ccc"])


def test_two_files_are_joined_by_id_and_what_stands_alone_is_said(tmp_path, capsys):
    true = table("id | cause\n1 | a\n2 | a\n3 | b\n4 | c")
    found = table("id | cause\n3 | b\n2 | b\n1 | a\n9 | c")
    for name, rows in (("true", true), ("found", found)):
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    result = compare_files(tmp_path / "true.csv", tmp_path / "found.csv", replicates=20)
    assert (result.deaths, result.alone) == (3, 2)
    assert result.causes.set_index("cause")["found"].to_dict() == {"a": 1, "b": 1}
    command = ["deaths", "va-compare", str(tmp_path / "true.csv"), str(tmp_path / "found.csv"), "--replicates", "20"]
    assert run([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["deaths"] == 3
    assert run(command) == 0
    assert "Độ chính xác CSMF" in capsys.readouterr().out


def test_files_that_cannot_be_compared_are_refused(tmp_path):
    one, two = tmp_path / "1.csv", tmp_path / "2.csv"
    one.write_text("id,cause\n1,a\n1,b\n", "utf-8")
    two.write_text("id,cause\n1,a\n", "utf-8")
    assert key_of(lambda: compare_files(one, two)) == "error.verbal_autopsy_id_twice"
    one.write_text("id,cause\n5,a\n", "utf-8")
    assert key_of(lambda: compare_files(one, two)) == "error.verbal_autopsy_nothing_common"
    one.write_text("id,nguyen_nhan\n1,a\n", "utf-8")
    assert key_of(lambda: compare_files(one, two)) == "error.verbal_autopsy_columns_compare"


# ------------------------------------------------------------------------------------------------ a home, and HIV


def test_deaths_of_which_hiv_is_a_probable_cause_are_left_out_whole(tmp_path):
    (tmp_path / "r.csv").write_text(RESULTS, "utf-8")
    kept = without_hiv(causes_from_results(read_results(tmp_path / "r.csv")))
    assert kept.table["id"].tolist() == kept.summary["id"].tolist() == ["a", "b", "d"]
    assert kept.withheld == 1


ANSWERS = table("""
    death_id | question_id | value
    v1       | Id10147     | yes
    v1       | Id10148_b   | 99
    v1       | Id10002     | veryl
    v2       | Id10147     | no
    v2       | ageInDays   | 12
    v3       | Id10147     | yes
    v4       | Id10147     | yes
""")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Four interviews: v3 is of another commune, the words of v4 concern HIV; v1 has age and sex in the record only."""
    made = tmp_path_factory.mktemp("va") / "home"
    create_home(made)
    deaths = pd.DataFrame(
        {
            "death_id": ["v1", "v2", "v3", "v4"], "source": "verbal_autopsy", "unit_id": [COMMUNE, COMMUNE, "VN2025:21040", COMMUNE],
            "sex": ["female", "male", "male", "male"], "age_years": [70.0, 0.0, 50.0, 33.0], "cause_text": ["", "", "", "nhiễm HIV"],
            "file_sha256": "f1", "sheet": "", "row_number": range(1, 5),
        }
    )  # fmt: skip
    answers = ANSWERS.assign(file_sha256="f1", sheet="", row_number=1)
    with Warehouse(made, write=True) as warehouse, warehouse.transaction():
        for name, frame in (("death", deaths), ("verbal_autopsy_answer", answers)):
            warehouse.con.register("incoming", frame)
            warehouse.con.execute(f"INSERT INTO lake.{name} BY NAME SELECT * FROM incoming")
            warehouse.con.unregister("incoming")
    add_coders(made)
    return made


def test_the_interviews_of_a_home_are_read_with_age_and_sex_of_the_record_where_they_tell_none(home):
    found = interviews_of_home(home)
    assert found.indicators.ids.tolist() == ["v1", "v2", "v3", "v4"]
    assert (found.may_know_hiv, found.hiv_answers) == (True, True)
    assert found.levels == {"hiv": {"v"}, "malaria": set()}
    rows = found.indicators.table().set_index("ID")
    assert rows.loc["v1", ["i019b", "i022a", "i147o", "i148a"]].tolist() == ["y", "y", "y", "."]
    assert rows.loc["v2", ["i019a", "i022g", "i147o"]].tolist() == ["y", "y", "n"]


def test_an_account_sees_the_interviews_of_its_commune_and_nothing_about_hiv(home, tmp_path, capsys):
    with acting_as(home, "an"):
        found = interviews_of_home(home)
        assert found.indicators.ids.tolist() == ["v1", "v2"]
        assert (found.may_know_hiv, found.hiv_answers) == (False, False)
        probability_base_path()
        options = ["-o", str(tmp_path / "o.csv"), "--hiv", "h", "--malaria", "v", "--home", str(home)]
        assert run(["deaths", "va", *options]) == 0
    assert "không có quyền biết về HIV" in capsys.readouterr().out
    shown = pd.read_csv(tmp_path / "o.csv")
    assert not shown.filter(like="va_code").eq("VAs-01.03").any(axis=None)


def test_who_may_not_check_gets_no_interviews(home):
    with acting_as(home, "khong"):
        assert key_of(lambda: interviews_of_home(home)).startswith("error.access")


def test_a_home_without_interviews_says_so(tmp_path, capsys):
    create_home(tmp_path / "home")
    assert run(["deaths", "va", "--home", str(tmp_path / "home"), "--indicators", str(tmp_path / "i.csv")]) == 2
    assert "phiếu phỏng vấn" in capsys.readouterr().err
