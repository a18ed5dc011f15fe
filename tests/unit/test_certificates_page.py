"""Certificates end to end: edits, underlying cause, list 1, one offline page whose parts add up."""

import json
import re

import pandas as pd
import pytest
from click.testing import CliRunner
from support import reference_path

from mortality.cli.page import page as command
from mortality.cli.page import write_certificates_page
from mortality.reports.certificates_data import run_certificates
from mortality.reports.certificates_page import certificates_page
from tkyt_analysis.errors import InputError

HEAD = "id,sex,age_value,age_unit,line_a,line_b,line_c,line_d,part2,ucod\n"
ROWS = """1,M,72,years,J960,J189,I64,,,I64
2,F,80,years,I469,R54,,,,R54
3,F,55,years,R54,,,,,R54
4,M,40,years,B207,,,,,B207
5,F,30,years,S069,,,,,
6,,,years,,,,,,
7,M,63,years,A419,E149,,,I10,E14.9
"""


@pytest.fixture
def certificates(tmp_path):
    path = tmp_path / "phieu <7>.csv"
    path.write_text(HEAD + ROWS, encoding="utf-8")
    return path


def test_every_certificate_is_in_the_table_or_beside_it(certificates):
    run = run_certificates(certificates)
    for list_id in ("who_mortality_list_1", "nchs_39", "injury_mechanism"):
        _, table = run.by_cause(list_id)
        assert table.loc[~table["is_heading"], "total"].sum() == run.records == 7
    assert run.with_cause() + 1 == 7  # number 6 is blank
    outside = run.outside("nchs_113").set_index("code")["deaths"].to_dict()
    assert outside[""] == 1
    assert sum(run.paths.values()) <= 7
    assert run.rules["SP1"] == run.paths["SP1"] + sum(
        n for path, n in run.paths.items() if path != "SP1" and "SP1" in path
    )


def test_the_code_that_came_along_is_compared_and_never_used(certificates, tmp_path):
    run = run_certificates(certificates)
    assert run.given == 5
    other = tmp_path / "other.csv"
    other.write_text((HEAD + ROWS).replace(",I64\n", ",X99\n"), encoding="utf-8")
    changed = run_certificates(other)
    assert changed.causes.equals(run.causes)
    assert changed.same_code == run.same_code - 1


def test_the_page_stands_alone_and_says_its_identity_and_versions(certificates):
    run = run_certificates(certificates)
    html = certificates_page(run, practice=True, language="vi")
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", html)
    assert "default-src 'none'" in html
    assert "số liệu mô phỏng" in html.lower()
    assert "phieu &lt;7&gt;.csv" in html
    assert run.sha256 in html
    assert "7 phiếu nhận = " in html
    for words in ("Quy tắc đã dùng", "Kiểm tra phiếu", "Mã rác và già yếu", run.profile.name):
        assert words in html
    assert "From certificates to the table" in certificates_page(run, language="en")


def test_hiv_is_counted_but_not_named_unless_the_account_may_see_it(certificates):
    run = run_certificates(certificates)
    assert "Bệnh do HIV" not in certificates_page(run, language="vi")
    assert "Bệnh do HIV" in certificates_page(run, restricted=True, language="vi")
    _, open_table = run.by_cause()
    _, closed = run.by_cause(restricted=False)
    unknown = [table.set_index("item")["total"]["unknown"] for table in (open_table, closed)]
    assert unknown[1] == unknown[0] + 1
    assert closed.loc[~closed["is_heading"], "total"].sum() == 7
    # no other figure gives it away: everywhere it looks like a certificate without a code
    assert run.with_cause(restricted=False) == run.with_cause() - 1 == 7 - unknown[1]
    assert run.garbage(restricted=False).set_index("category")["deaths"]["no_code"] == unknown[1]


def test_a_code_that_nobody_knows_is_a_matter_for_a_coder(certificates, tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_text((HEAD + ROWS).replace("3,F,55,years,R54", "3,F,55,years,QQ99 R54"), encoding="utf-8")
    before, after = run_certificates(certificates), run_certificates(broken)
    assert after.flags["reject:invalid_code"] == before.flags["reject:invalid_code"] + 1
    assert after.review == before.review + 1


def test_old_age_below_60_is_marked_on_the_page(certificates):
    html = certificates_page(run_certificates(certificates), language="vi")
    assert "già yếu dưới 60 tuổi" in html


def test_the_command_writes_the_page_and_the_counts(certificates, tmp_path):
    out = tmp_path / "page.html"
    answer = CliRunner().invoke(command, [str(certificates), "-o", str(out), "--json"], catch_exceptions=False)
    said = json.loads(answer.output)
    assert (said["records"], said["with_cause"], said["given"]) == (7, 5, 5)  # one cause is withheld
    assert out.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_a_file_without_certificates_a_wrong_list_and_a_closed_folder_are_refused(certificates, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text(HEAD, encoding="utf-8")
    with pytest.raises(InputError, match="empty.csv"):
        write_certificates_page(empty, tmp_path / "x.html")
    with pytest.raises(InputError, match="my_list"):
        write_certificates_page(certificates, tmp_path / "x.html", list_id="my_list")
    with pytest.raises(InputError, match="none"):
        write_certificates_page(certificates, tmp_path / "none" / "x.html")
    assert list(tmp_path.glob("*.unfinished")) == []


def test_five_thousand_real_certificates_reach_the_table():
    path = reference_path("icd", "ucod_open.csv")
    run = run_certificates(path)
    _, table = run.by_cause()
    items = table[~table["is_heading"]].set_index("item")["total"]
    assert items.sum() == run.records == run.given == 5_050
    assert items.get("gap", 0) + items.get("unknown", 0) < 5
    assert run.same_category / run.given > 0.93
    headings = table[table["is_heading"]].set_index("item")["total"]
    assert headings["1-064"] == items[[f"1-{number:03}" for number in range(65, 72) if f"1-{number:03}" in items]].sum()
    garbage = run.garbage().set_index("category")
    assert 0.2 < garbage["share"]["all_listed"] < 0.4
    assert pd.notna(garbage["lower"]["all_listed"])
