"""`tkyt check-panel`: a file of units × periods in, every row with a verdict out; bad input gets a clear sentence."""

import json

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.cli.main import run
from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.panel_file import COLUMNS, check_panel
from tkyt_analysis.quality.panel_reading import read_panel, read_period
from tkyt_analysis.quality.panel_summary import sentences

NAMES = {"unit": "xa", "period": "ky", "value": "so"}


@pytest.fixture
def write(tmp_path):
    def to_file(text, name="panel.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return to_file


def drawn(units=12, months=24, seed=2, mean=150):
    rng = np.random.default_rng(seed)
    periods = pd.period_range("2023-01", periods=months, freq="M").strftime("%Y%m")
    counts = rng.poisson(mean * np.exp(rng.normal(0, 0.4, (units, 1))) * np.ones((units, months)))
    rows = pd.DataFrame(counts, index=[f"xã {n}" for n in range(units)], columns=periods)
    return rows.rename_axis("xa").reset_index().melt("xa", var_name="ky", value_name="so")


def spoilt(rows, unit, month, value):
    return rows.assign(so=rows["so"].mask((rows["xa"] == unit) & (rows["ky"] == month), value))


def read_lines(*lines):
    return "xa,ky,so\n" + "\n".join(lines) + "\n"


def refusal(path, **names):
    with pytest.raises(InputError) as caught:
        check_panel(path, **(NAMES | names))
    return caught.value.sentence()


# ---- findings


def test_every_row_of_the_file_comes_back_in_order_with_the_columns_of_the_contract(write):
    rows = drawn()
    answer = check_panel(write(rows.to_csv(index=False)), **NAMES)
    assert list(answer.findings.columns) == COLUMNS
    assert answer.findings["unit"].tolist() == rows["xa"].tolist()
    assert answer.findings["period"].tolist() == rows["ky"].tolist()
    assert answer.findings["value"].tolist() == rows["so"].tolist()
    assert (answer.findings["verdict"] == "ok").mean() > 0.98


def test_a_typing_error_gets_a_vietnamese_sentence_with_the_number_that_was_probably_meant(write):
    rows = drawn()
    true = rows.loc[(rows["xa"] == "xã 3") & (rows["ky"] == "202405"), "so"].iloc[0]
    answer = check_panel(write(spoilt(rows, "xã 3", "202405", 10 * true).to_csv(index=False)), **NAMES)
    row = answer.findings[answer.findings["value"] == 10 * true].iloc[0]
    assert row["verdict"] == "error_high"
    assert row["suggested"] == true
    assert row["probability"] > 0.9
    assert row["lower"] < row["expected"] < row["upper"] < row["value"]
    assert row["reason"].startswith("gấp khoảng")
    assert row["reason"].endswith(f"có thể thừa một chữ số; số đúng có lẽ là {true}")


def test_the_reason_is_english_where_that_is_asked_for(write):
    rows = spoilt(drawn(), "xã 3", "202405", 0)
    answer = check_panel(write(rows.to_csv(index=False)), **NAMES, language="en")
    row = answer.findings[answer.findings["value"] == 0].iloc[0]
    assert row["verdict"] == "missing_or_zero"
    assert row["reason"].startswith("zero, while about")


def test_an_empty_month_inside_a_series_is_listed_and_one_before_its_start_is_not(write):
    rows = drawn()
    hidden = (rows["xa"] == "xã 1") & rows["ky"].isin(["202301", "202308"])
    answer = check_panel(write(rows[~hidden].to_csv(index=False)), **NAMES)
    more = answer.findings.iloc[(~hidden).sum() :]
    assert more[["unit", "period", "verdict"]].values.tolist() == [["xã 1", "202308", "not_assessable"]]
    assert more["value"].isna().all()
    assert answer.summary["empty_periods"] == 1


def test_series_of_three_values_are_not_assessable_and_counted_as_such(write):
    rows = drawn(units=2, months=3)
    answer = check_panel(write(rows.to_csv(index=False)), **NAMES)
    assert set(answer.findings["verdict"]) == {"not_assessable"}
    assert answer.findings["probability"].isna().all()
    assert "chỉ có 2 giá trị khác" in answer.findings["reason"].iloc[0]
    assert answer.summary["assessable"] == 0
    assert any("0 trên 6" in line for line in sentences(answer.summary, "vi"))


def test_quarters_and_months_of_one_file_are_separate_series(write):
    months = drawn()
    quarters = drawn(months=8, mean=450).assign(
        ky=lambda x: x["ky"].map(lambda one: f"{2023 + (int(one[4:]) - 1) // 4}Q{(int(one[4:]) - 1) % 4 + 1}")
    )
    answer = check_panel(write(pd.concat([months, quarters]).to_csv(index=False)), **NAMES)
    assert (answer.findings["verdict"] == "ok").mean() > 0.98


def test_a_budget_leaves_fewer_questions_and_the_surest_ones(write):
    rows = drawn(units=30)
    rng = np.random.default_rng(7)
    chosen = rng.choice(len(rows), 40, replace=False)
    rows.loc[chosen, "so"] = (rows.loc[chosen, "so"] * rng.choice([1.5, 1.7, 10], 40)).round()
    path = write(rows.to_csv(index=False))
    free, tight = (check_panel(path, **NAMES, max_flags=share) for share in (None, 0.0005))
    asked = [one.findings[~one.findings["verdict"].isin(["ok", "not_assessable", "shock"])] for one in (free, tight)]
    assert 0 < len(asked[1]) < len(asked[0])
    left_out = asked[0].index.difference(asked[1].index)
    assert asked[1]["probability"].min() > asked[0].loc[left_out, "probability"].max()


# ---- oddities of the file


def test_blanks_at_the_end_of_a_name_do_not_split_a_unit_and_are_said(write):
    rows = drawn()
    rows.loc[::2, "xa"] = rows.loc[::2, "xa"] + " "
    answer = check_panel(write(rows.to_csv(index=False)), **NAMES)
    assert answer.summary["units"] == 12
    assert answer.findings["unit"].tolist() == rows["xa"].tolist()
    assert any("“xã 0 ”" in line for line in sentences(answer.summary, "vi"))


def test_fractions_negative_and_unreadable_values_are_counted_with_their_rows_and_never_dropped(write):
    text = drawn().astype({"so": "str"})
    text.loc[0, "so"], text.loc[1, "so"], text.loc[2, "so"] = "12.5", "-4", "1O4"
    answer = check_panel(write(text.to_csv(index=False)), **NAMES)
    assert len(answer.findings) == len(text)
    assert answer.findings["reason"].iloc[1] == "số âm (-4): số đếm không thể âm"
    assert answer.findings["reason"].iloc[2] == "không đọc được số “1O4”"
    assert answer.findings["verdict"].iloc[1:3].tolist() == ["not_assessable"] * 2
    said = " ".join(sentences(answer.summary, "vi"))
    assert "1 giá trị không phải số nguyên (dòng 2)" in said
    assert "1 giá trị không đọc được (dòng 4)" in said
    assert "1 giá trị âm" in said


def test_two_rows_for_one_cell_that_differ_are_not_judged_and_equal_ones_count_once(write):
    rows = drawn()
    again = pd.concat([rows, rows.iloc[[5]], rows.iloc[[9]].assign(so=9_999)])
    answer = check_panel(write(again.to_csv(index=False)), **NAMES)
    verdict, reason = answer.findings["verdict"], answer.findings["reason"]
    assert verdict.iloc[5] == "ok"
    assert verdict.iloc[len(rows)] == "not_assessable"
    assert verdict.iloc[[9, len(rows) + 1]].tolist() == ["not_assessable"] * 2
    assert "hãy chọn số đúng" in reason.iloc[9]


@pytest.mark.parametrize(
    ("written", "value"),
    [("1184", 1184), ("1 184", 1184), ("1\u00a0184", 1184), ("1,184", 1184), ("1.184.000", 1184000), ("12.0", 12), ("", None), ("NA", None)],
)  # fmt: skip
def test_numbers_are_read_as_they_are_written(write, written, value):
    path = write(f'xa;ky;so\na;202301;"{written}"\nb;202301;7\n')
    read = read_panel(path, **NAMES).rows["value"].iloc[0]
    assert np.isnan(read) if value is None else read == value


def test_a_decimal_comma_is_understood_and_said(write):
    read = read_panel(write("xa;ky;so\na;202301;1.184,5\nb;202301;7\n"), **NAMES)
    assert read.decimal_comma
    assert read.rows["value"].tolist() == [1184.5, 7]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("202506", "202506"), ("2025-06", "202506"), ("2025/6", "202506"), ("2025-06-01", "202506"), ("06/2025", "202506"),
        ("202506.0", "202506"), ("2025Q2", "2025Q2"), ("2025W7", "2025W07"), ("202506A", "202506A"), ("2025C9", "2025C9"),
        ("2025-13", None), ("tháng 6", None), ("", None), ("20256", None),
    ],
)  # fmt: skip
def test_periods_are_read_in_the_usual_spellings(text, found):
    read = read_period(text)
    assert (read.period_id if read else None) == found


def test_empty_lines_are_no_rows_and_do_not_shift_the_row_numbers(write):
    read = read_panel(write("xa,ky,so\n\na,202301,5\n\n\nb,202301,6\n\n"), **NAMES)
    assert read.rows["row"].tolist() == [3, 6]


# ---- bad input


def test_a_missing_column_is_named_with_the_nearest_ones(write):
    said = refusal(write(read_lines("a,202301,5")), value="sô")
    assert "không có cột “sô” (giá trị)" in said
    assert "Gần giống nhất: so" in said


def test_a_period_that_is_none_is_said_with_its_row(write):
    said = refusal(write(read_lines("a,202301,5", "a,2023-13,6", "b,thang 2,6")))
    assert "2 dòng" in said
    assert "(dòng 3, 4)" in said
    assert "“2023-13”, “thang 2”" in said


def test_a_year_far_off_is_said_instead_of_a_grid_of_a_thousand_years(write):
    assert "dòng 4 có kỳ “0202-03”" not in refusal(write(read_lines("a,202301,5", "a,202302,6", "a,2199-03,6")))
    assert "dòng 4 có kỳ “2199-03”" in refusal(write(read_lines("a,202301,5", "a,202302,6", "a,2199-03,6")))


def test_many_rows_for_the_same_cell_ask_for_the_indicator_column(write):
    said = refusal(write(read_lines("a,202301,5", "a,202301,6", "a,202301,7", "b,202302,1")))
    assert "--indicator" in said
    assert "ở các dòng 2, 3, 4" in said


@pytest.mark.parametrize(
    ("text", "encoding", "words"),
    [
        ("", "utf-8", "không có dòng số liệu nào"),
        ("xa,ky,so\n", "utf-8", "không có dòng số liệu nào"),
        ("xa,ky,so\nHuyện,202301,5\n", "utf-16", "không phải mã UTF-8"),
        ("xa,ky,so\n,202301,5\n", "utf-8", "1 dòng không có tên đơn vị (dòng 2)"),
        ("xa,ky,so\na,202301,5,6,7\nb,202301,5\n", "utf-8", "số cột"),
    ],
)
def test_files_that_cannot_be_read_are_refused_in_words(write, text, encoding, words):
    assert words in refusal(write(text, encoding=encoding))


def test_a_file_that_is_not_there_is_said(tmp_path):
    assert "Không tìm thấy tệp" in refusal(tmp_path / "none.csv")


# ---- the command


def arguments(path, output, *more):
    return ["check-panel", str(path), "--unit", "xa", "--period", "ky", "--value", "so", "-o", str(output), *more]


def test_the_command_writes_the_findings_and_says_how_much_it_judged(write, tmp_path, capsys):
    path, output = write(spoilt(drawn(), "xã 3", "202405", 0).to_csv(index=False)), tmp_path / "found.csv"
    assert run(arguments(path, output)) == 0
    said = capsys.readouterr().out
    assert "Đánh giá được 288 trên 288 giá trị" in said
    found = pd.read_csv(output)
    assert list(found.columns) == COLUMNS
    assert len(found) == 288
    assert "missing_or_zero" in set(found["verdict"])


def test_the_command_answers_machines_and_fails_where_asked(write, tmp_path, capsys):
    clean, dirty = (
        write(drawn().to_csv(index=False)),
        write(spoilt(drawn(), "xã 3", "202405", 0).to_csv(index=False), "d.csv"),
    )
    output = tmp_path / "found.csv"
    assert run(arguments(dirty, output, "--json", "--fail-on", "warning")) == 1
    assert json.loads(capsys.readouterr().out)["asked"] >= 1
    assert run(arguments(dirty, output, "--fail-on", "error")) == 0
    assert run(arguments(clean, output, "--fail-on", "warning", "--max-flags", "0.0001")) == 0


@pytest.mark.parametrize("share", ["0", "1.5", "-1"])
def test_a_budget_that_is_no_share_is_refused(write, tmp_path, share, capsys):
    assert run(arguments(write(drawn().to_csv(index=False)), tmp_path / "x.csv", "--max-flags", share)) == 2
    assert "--max-flags" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_said_before_the_work(write, tmp_path, capsys):
    assert run(arguments(write(drawn().to_csv(index=False)), tmp_path / "no" / "x.csv")) == 2
    assert "Không có thư mục" in capsys.readouterr().err
