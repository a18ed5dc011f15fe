"""Coders at work in a home: the queue, choices that code records, learnt words from office to office, blind double coding."""

import json

import pandas as pd
import pytest
from coder_support import add_coders, home_with_deaths, small_library
from support import table

from mortality.coder.agreement import agreement
from mortality.coder.app import CoderApp
from mortality.coder.choices import Choice, choices, record_choice, record_choices
from mortality.coder.entries import entries, export_entries, import_entries, learnt_entries, review_entry
from mortality.coder.outbox import Outbox
from mortality.coder.queue import load_queue
from mortality.coder.sample import draw_sample, samples
from mortality.pipeline import coding_decisions
from tkyt_analysis.access import acting_as
from tkyt_analysis.cli.main import run
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.warehouse.lake import Warehouse

EVIL = "<script>window.hit = 1</script> lạ"
DEATHS = table(f"""
    id  | words             | age   | sex    | maternal | decision  | code  | score | rule
    a1  | tè tè trong nước  | 60    | male   | no       | uncodable | -     | 0     | dictionary:no_match
    a2  | Tè tè trong nước. | 50    | female | no       | uncodable | -     | 0     | dictionary:no_match
    a3  | tè tè trong  nước | 44    | female | no       | uncodable | -     | 0     | dictionary:no_match
    b1  | xỉu rồi đi        | 70    | male   | no       | review    | R55   | 0.5   | dictionary:dictionary_exact
    b2  | xỉu rồi đi        | 81    | male   | no       | review    | R55   | 0.5   | dictionary:dictionary_exact
    b3  | xỉu rồi đi        | 0.01  | male   | no       | review    | R55   | 0.5   | dictionary:dictionary_exact
    c1  | {EVIL}            | 40    | male   | no       | uncodable | -     | 0     | dictionary:no_match
    d1  | đẻ khó            | 30    | female | yes      | auto      | O66.9 | 0.99  | dictionary:dictionary_exact
    e1  | sởi               | 3     | male   | no       | auto      | B05.9 | 0.99  | dictionary:dictionary_exact
    f1  | ho ra máu         | 66    | male   | no       | auto      | R04.2 | 0.6   | dictionary:dictionary_exact
    g1  | nhiễm HIV         | 33    | male   | no       | review    | B24   | 0.5   | dictionary:dictionary_exact
    h1  | suy tim           | 77    | male   | no       | auto      | I50.9 | 0.99  | dictionary:dictionary_exact
    i1  | xỉu rồi đi        | 55    | male   | no       | auto      | I21.9 | 1     | as_written
""").replace("-", "")  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    rows = DEATHS.assign(maternal=DEATHS["maternal"] == "yes", score=pd.to_numeric(DEATHS["score"]))
    made = home_with_deaths(tmp_path_factory.mktemp("coder") / "home", rows)
    with Warehouse(made, write=True) as warehouse:  # the rules for the underlying cause refuse heart failure alone
        warehouse.con.execute(
            "INSERT INTO lake.death_underlying BY NAME SELECT 'h1______' AS death_id, 'words' AS basis, 'I50.9' AS code, "
            "'reject:never_underlying' AS flags, 'review' AS decision"
        )
    add_coders(made)
    with small_library():
        yield made


def read(home, sql):
    with Warehouse(home) as warehouse:
        return warehouse.query(sql)


# These tests work on one home, in this order.


def test_words_of_several_deaths_come_first_then_records_of_high_stake_then_single_words(home):
    with acting_as(home, "an"):
        rows = load_queue(home).items
    assert [(row.written.strip().lower().rstrip(".").replace("  ", " "), row.deaths, row.stakes) for row in rows.itertuples()] == [
        ("tè tè trong nước", 3, ""),
        ("xỉu rồi đi", 2, ""),  # of adults; the one with a code of the register is not asked about
        ("suy tim", 1, "rejected"),
        ("đẻ khó", 1, "maternal"),
        ("xỉu rồi đi", 1, "under_5"),  # the newborn, once: as a record
        ("sởi", 1, "under_5 notifiable"),
        ("ho ra máu", 1, "low_score"),
        (EVIL.lower(), 1, ""),
    ]  # fmt: skip


def test_words_on_hiv_are_for_those_who_may_know(home):
    assert "nhiễm HIV" in set(load_queue(home).items["written"])  # the owner holds the right
    with acting_as(home, "an"):
        assert "nhiễm HIV" not in set(load_queue(home).items["written"])
        with pytest.raises(InputError, check=lambda error: error.key == "error.coder_hiv"):
            record_choice(home, Choice("bị siđa (AIDS)", code="B24"))


def test_coders_see_their_own_places_and_need_the_right_to_check(home):
    with acting_as(home, "xa_khac"):
        assert load_queue(home).items.empty
        with pytest.raises(InputError, match="xa_khac"):
            record_choice(home, Choice("tè tè trong nước", code="R32", death_id="a1______"))
    with acting_as(home, "khong"), pytest.raises(InputError, match="khong"):
        load_queue(home)


REFUSED = {
    "error.coder_code": (Choice("ho", code="I21.99"), Choice("ho", code="I21")),  # unknown; not the lowest level
    "error.coder_no_words": (Choice(" . ", code="I21.9"),),
    "error.coder_value": (Choice("ho", state="maybe"), Choice("ho", code="I21.9", sex="nam")),
    "error.link_record_unknown": (Choice("ho", code="I21.9", death_id="nobody"),),
    "error.coder_not_in_sample": (Choice("ho", code="I21.9", death_id="a1______", sample_id="none"),),
}


def test_what_cannot_be_stored_is_refused(home):
    for key, given in REFUSED.items():
        for choice in given:
            with pytest.raises(InputError) as error:
                record_choices(home, [Choice("ho", code="I21.9"), choice])
            assert error.value.key == key
    assert choices(home).empty  # all or none


def test_a_second_coder_is_asked_and_the_first_is_not_asked_again(home):
    with acting_as(home, "an"):
        stored = record_choices(home, [
            Choice("Tè tè trong nước.", code="r32", deaths=3, note="gọi 0905123457"),
            Choice("ho ra máu", code="R04.2", death_id="f1______"),
        ])  # fmt: skip
        assert (stored[0].text_key, stored[0].code) == ("tè tè trong nước", "R32")
        assert not {"tè tè trong nước", "ho ra máu"} & set(load_queue(home).items["text_key"])
    assert "0905" not in choices(home)["note"].iloc[0]
    with acting_as(home, "binh"):
        row = load_queue(home).items.iloc[0]
        assert (row["text_key"], row["others"]) == ("tè tè trong nước", 1)
        code = {row.death_id: (row.code, row.decision, row.rule) for row in decided(home).itertuples()}
        assert code["a1______"] == ("R32", "review", "coder_choice")  # one coder: for review
        assert code["f1______"] == ("R04.2", "auto", "coder_record")
        record_choice(home, Choice("tè tè trong nước", code="R32", deaths=3))


def decided(home):
    from mortality.coder.apply import decisions_of_people
    from tkyt_analysis.access import working_within

    with working_within(), Warehouse(home) as warehouse:
        return decisions_of_people(
            warehouse, warehouse.query("SELECT death_id, cause_text, sex, age_years FROM lake.death")
        )


def test_the_next_coding_step_uses_what_was_learnt_and_says_so(home):
    assert learnt_entries(home)["icd10"].tolist() == ["R32"]
    deaths = read(
        home,
        "SELECT death_id, cause_text, '' AS icd10_as_written, '' AS underlying_cause_as_given, sex, age_years FROM lake.death",
    )
    deaths.loc[deaths["death_id"] == "a3______", "icd10_as_written"] = "W69"
    rows = coding_decisions(deaths, people=decided(home), learnt=learnt_entries(home)).set_index("death_id")
    for record in ("a1______", "a2______"):
        assert rows.loc[record, ["code", "decision", "rule"]].tolist() == ["R32", "auto", "learnt"]
    assert rows.loc["a3______", ["code", "rule"]].tolist() == [
        "W69",
        "as_written",
    ]  # the register's own code goes before
    assert rows.loc["f1______", "rule"] == "coder_record"
    with acting_as(home, "an"):
        assert "tè tè trong nước" not in set(load_queue(home).items["text_key"])


def test_an_entry_that_a_reviewer_withdraws_codes_nothing_more(home):
    (entry,) = entries(home)["entry_id"]
    with acting_as(home, "an"), pytest.raises(InputError, match="an"):
        review_entry(home, entry, "withdraw", "thử")
    with pytest.raises(InputError, check=lambda error: error.key == "error.coder_no_reason"):
        review_entry(home, entry, "withdraw", " ")
    review_entry(home, entry[:6], "withdraw", "nghĩa khác ở huyện bên")
    assert learnt_entries(home).empty
    assert decided(home).set_index("death_id").loc["a1______", "decision"] == "review"
    review_entry(home, entry, "accept", "đã hỏi lại")
    assert entries(home)["state"].tolist() == ["accepted"]


def test_learnt_words_go_to_another_office_once_and_contradictions_wait(home, tmp_path):
    record_choice(home, Choice("nhiễm H", code="B24"))
    made = export_entries(home, tmp_path / "hoc_duoc.csv")
    assert made["entries"] == 1
    assert made["rare"] == 1  # the words on HIV, of one death
    text = (tmp_path / "hoc_duoc.csv").read_text("utf-8")
    assert "tè tè trong nước,R32,sure" in text
    bad = "bị … đánh,Y04,sure,,,,,x\nho,I21,sure,,,,,x\nho,I21.9,likely,,,,,x\nho,I21.9,sure,nam,,,,x\nho,I21.9,sure,,5,,,x\n"
    other = "tè tè trong nước,R39.8,sure,,0.0767,,,learnt:VN2025:51\nlả đi,R53,sure,,0.0767,,confirmations=4,learnt:VN2025:51\n"
    (tmp_path / "den.csv").write_text(text + bad + other, "utf-8")
    taken = import_entries(home, tmp_path / "den.csv", accept=True)
    assert {name: taken[name] for name in ("taken", "accepted", "contradicting", "known")} == {
        "taken": 2, "accepted": 1, "contradicting": 1, "known": 1,
    }  # fmt: skip
    assert [one["reason"].rpartition(".")[2] for one in taken["problems"]] == [
        "no_words",
        "code",
        "certainty",
        "sex",
        "age",
    ]
    assert import_entries(home, tmp_path / "den.csv", accept=True)["taken"] == 0
    state = {(row.expression, row.code): row.state for row in entries(home).itertuples()}
    assert state[("lả đi", "R53")] == "accepted"
    assert state[("tè tè trong nước", "R39.8")] == "imported"
    with acting_as(home, "an"):
        assert "nhiễm h" not in set(entries(home)["expression"])
    (tmp_path / "khac.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(InputError, check=lambda error: error.key == "error.coder_columns"):
        import_entries(home, tmp_path / "khac.csv")


def test_the_same_seed_draws_the_same_sample_and_two_coders_work_blind(home):
    with acting_as(home, "an"):
        first, again = (draw_sample(home, size=4, seed="1")["sample_id"] for _ in range(2))
        drawn = {one: read_sample(home, one) for one in (first, again)}
        assert drawn[first] == drawn[again]
        waiting = load_queue(home, sample=first).items
        assert waiting["death_id"].tolist() == drawn[first]
        record_choices(
            home,
            [Choice(row.written, code="R99", death_id=row.death_id, sample_id=first) for row in waiting.itertuples()],
        )
        assert load_queue(home, sample=first).items.empty
    with pytest.raises(InputError, check=lambda error: error.key == "error.coder_one_coder"):
        agreement(home, first)
    with acting_as(home, "binh"):
        blind = load_queue(home, sample=first).items
        assert blind["death_id"].tolist() == drawn[first]
        assert blind["others"].tolist() == [0] * len(blind)
        codes = ["R99" if number else "I64" for number in range(len(blind))]
        record_choices(home, [Choice(row.written, code=code, death_id=row.death_id, sample_id=first)
                              for row, code in zip(blind.itertuples(), codes, strict=True)])  # fmt: skip
    found = agreement(home, first)
    assert found.kappas[0].agreed == pytest.approx((len(blind) - 1) / len(blind))
    assert found.kappas[0].status == "not_assessable"  # fewer than 30 records
    assert samples(home)["coded"].iloc[0] == {"an": len(blind), "binh": len(blind)}


def read_sample(home, sample):
    from tkyt_analysis.access import working_within

    with working_within():
        return read(
            home, f"SELECT death_id FROM lake.coder_sample WHERE sample_id = '{sample}' ORDER BY place_in_sample"
        )["death_id"].tolist()


def test_a_key_is_safe_on_disk_before_the_warehouse_has_it_and_survives_its_window(home):
    from tkyt_analysis.access import acting_as as as_account

    def busy(home, batch):
        raise ProcessingError("error.warehouse_busy", home=home)

    outbox = Outbox(home, "an", store=busy)
    outbox._begin = lambda: None  # no worker: as if the process died before it ran
    outbox.add(Choice("phát cuồng", code="F29", note="Thử"))
    with pytest.raises(ProcessingError):
        outbox.flush()
    assert outbox.waiting == 1
    kept = [path.read_bytes() for path in outbox.kept.folder.glob("*.sealed")]
    assert len(kept) == 1
    assert "cuồng".encode() not in kept[0]
    outbox.close()  # what cannot be stored stays
    with as_account(home, "an"):
        assert [one.code for one in Outbox(home, "an").pending_elsewhere()] == ["F29"]
        fresh = Outbox(home, "an")
        assert fresh.take_left() == 1
        assert fresh.take_left() == 0
        fresh.close()
    assert choices(home)["text_key"].iloc[-1] == "phát cuồng"
    assert list(outbox.kept.folder.glob("*.sealed")) == []


def limit_to_women(app):
    """A decision for one sex leaves the records of the other in the queue, and comes back whole."""
    key = next(key for key, row in app.coding._rows.items() if row["kind"] == "text")
    app.coding._rows[key] = {**app.coding._rows[key], "deaths": 2, "male": 1, "female": 1}
    app.receive([{"do": "open", "item": key}, {"do": "sex", "value": "female"}])
    assert app.coding.item.deaths == 1
    app.receive([{"do": "uncodable", "item": key}])
    assert app.coding.done[-1][1].sex == "female"
    assert app.coding._rows[key]["deaths"] == 1
    app.receive([{"do": "undo"}])
    assert app.coding._rows[key]["deaths"] == 2


def test_the_screen_decides_only_what_was_seen_and_shows_markup_as_text(home):
    with acting_as(home, "binh"):
        app = CoderApp(home, language="vi")
        assert app.error == ""
        app.coding.outbox._begin = lambda: None
        seen = app.coding.item
        app.receive([{"do": "uncodable", "item": seen.key}])
        assert "Đã ghi" in app.state["said"]["text"]
        app.receive([{"do": "uncodable", "item": seen.key}])  # the same key again on a slow line
        assert app.state["said"]["kind"] == "error"
        assert app.coding.decided == 1
        app.receive([{"do": "undo"}])
        assert (app.coding.item.key, app.coding.decided) == (seen.key, 0)
        app.receive([{"do": "next", "item": seen.key}])
        assert app.coding.item.key != seen.key
        app.receive([{"do": "search", "value": "I21.9"}])
        assert [one.code for one in app.coding.item.candidates] == ["I21.9"]
        app.receive(
            [{"do": "tab", "value": "list"}, {"do": "choose", "number": 9, "item": app.coding.item.key}, {"do": "<x>"}]
        )
        assert "<script>window" not in app.state["html"]["list"]
        assert "&lt;script&gt;" in app.state["html"]["list"]
        limit_to_women(app)
        app.receive([{"do": "language", "value": "en"}])
        assert "Code causes" in app._skeleton.value
        app.coding._decide("uncodable", "", "")
        second = CoderApp(home, language="vi")  # the page was loaded again before the warehouse had the last decision
        assert app.coding.done[-1][0] not in second.coding._rows
        assert second.coding.left == app.coding.left
        second.close()
        app.close()
    with acting_as(home, "khong"):
        refused = CoderApp(home, language="vi")
        assert "khong" in refused.error
        assert refused.state["shown"] is False
        refused.close()


def test_a_home_without_anything_says_so(tmp_path, capsys):
    assert load_queue(tmp_path / "none").items.empty
    assert learnt_entries(tmp_path / "none").empty
    with pytest.raises(InputError, check=lambda error: error.key == "error.coder_nothing_to_draw"):
        draw_sample(tmp_path / "none", size=5)
    assert run(["deaths", "coder", "queue", "--json", "--home", str(tmp_path / "none")]) == 0
    assert json.loads(capsys.readouterr().out)["left"] == 0


def test_the_commands_say_what_they_did(home, capsys):
    def said(*arguments):
        code = run(["deaths", "coder", *arguments, "--home", str(home), "--language", "vi"])
        return code, capsys.readouterr()

    assert said("choose", "xỉu rồi đi", "--code", "R55", "--ask")[0] == 2
    code, out = said("choose", "xỉu rồi đi", "--code", "R55")
    assert (code, "→ R55" in out.out) == (0, True)
    assert "xỉu rồi đi" in said("learn", "--state", "learnt")[1].out
    assert "chưa đánh giá được" in said("kappa", samples(home)["sample_id"].iloc[0])[1].out
