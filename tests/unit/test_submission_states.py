"""Whatever is sent, decided or re-read, and however the clock moves: a locked report's values do not change."""

import datetime
import itertools
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tkyt_analysis import access
from tkyt_analysis.ingest.door import Batch
from tkyt_analysis.ingest.staging import Staging
from tkyt_analysis.warehouse.lake import Warehouse, connect
from tkyt_analysis.warehouse.release_tables import CURRENT_VALUE
from tkyt_analysis.warehouse.schema import create_tables
from tkyt_analysis.workflow import actions, gate, states, verify
from tkyt_analysis.workflow.machine import ALLOWED, EVENTS, STATES, Event, state_of

DUE = datetime.date(2024, 7, 10)  # Biểu 16/BCH for 2024C6
FORM, UNIT, PERIOD = "form16bch", "VN2025:21040", "2024C6"
START = datetime.datetime(2024, 7, 8, 3)

# -------------------------------------------------------------------------------------- the pure machine


def moments(hours):
    return [START + datetime.timedelta(hours=sum(hours[: n + 1])) for n in range(len(hours))]


EVENT_LISTS = st.lists(
    st.tuples(st.sampled_from(EVENTS), st.integers(0, 40), st.sampled_from(["", "vì sao"]), st.booleans())
)


def drawn(raw):
    times = moments([hours for _, hours, _, _ in raw])
    return [Event(event, at, reason, changes) for (event, _, reason, changes), at in zip(raw, times)]


def test_every_state_is_reached():
    """Breadth first over all sequences of up to four events, two days before and three days after the due date."""
    before, after = START, START + datetime.timedelta(days=5)
    reached = set()
    for length in range(1, 5):
        for names in itertools.product(EVENTS, repeat=length):
            for turn in range(length + 1):
                events = [Event(name, before if n < turn else after, "vì") for n, name in enumerate(names)]
                reached |= {state_of(events, DUE, at) for at in (before, after) if turn == length or at == after}
    assert reached - {""} == set(STATES)


@given(EVENT_LISTS, st.sampled_from(EVENTS[:-1]), st.booleans())
def test_only_reopening_leads_out_of_the_lock(raw, event, changes):
    events = drawn(raw)
    now = (events[-1].at if events else START) + datetime.timedelta(hours=1)
    if state_of(events, DUE, now) == "locked":
        more = [*events, Event(event, now, "vì", changes)]
        assert state_of(more, DUE, now) == "locked"


@given(EVENT_LISTS)
def test_without_a_reason_nothing_is_returned_or_reopened(raw):
    events = [Event(one.event, one.at, "", one.changes) for one in drawn(raw)]
    now = START + datetime.timedelta(days=30)
    assert state_of(events, DUE, now) not in ("returned", "reopened")


@given(EVENT_LISTS, st.integers(0, 500))
def test_time_alone_only_locks(raw, hours):
    events = drawn(raw)
    now = events[-1].at if events else START
    early, late = state_of(events, DUE, now), state_of(events, DUE, now + datetime.timedelta(hours=hours))
    assert late == early or (early, late) == ("approved", "locked")


@given(EVENT_LISTS)
def test_without_a_due_date_nothing_locks(raw):
    assert state_of(drawn(raw), None, START + datetime.timedelta(days=999)) != "locked"


def test_nothing_but_reopening_is_allowed_to_a_locked_report():
    assert [event for event in EVENTS if "locked" in ALLOWED[event]] == ["reopened"]


# ------------------------------------------------------------- the gate, the actions and the tables together


@pytest.fixture(scope="module")
def lake():
    """A connection with both lakes' tables, in memory."""
    con = connect()
    con.execute("ATTACH ':memory:' AS lake; ATTACH ':memory:' AS restricted")
    create_tables(con)
    return con


class OpenLake(Warehouse):
    """The lake in memory as a warehouse that is always open."""

    def __init__(self, con):
        self.con, self.home, self._has_turn = con, Path("/nowhere"), True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def machine(lake, monkeypatch, seen):
    """The state machine class over a lake; `seen` gathers the states it met."""
    clock = SimpleNamespace(now=START)

    def tick():
        clock.now += datetime.timedelta(seconds=1)
        return clock.now

    warehouse = OpenLake(lake)
    account = SimpleNamespace(name="so_y_te")
    monkeypatch.setattr(access, "current_account", lambda home: account)
    monkeypatch.setattr("tkyt_analysis.access.audit.record", lambda *a, **k: None)
    monkeypatch.setattr(actions, "require", lambda *a, **k: account)
    monkeypatch.setattr(actions, "Warehouse", lambda *a, **k: warehouse)
    for module in (actions, gate, states, verify):
        monkeypatch.setattr(module, "utc_now", tick)

    class Report(RuleBasedStateMachine):
        """One report: files with some of its cells, decisions, and days that pass."""

        @initialize(begin=st.sampled_from(["locked", "approved", "locked", "received", "nothing"]))
        def begin(self, begin):
            for table in ("submission_event", "aggregate_value", "received_file", "quarantine"):
                lake.execute(f"DELETE FROM lake.{table}")
            clock.now = START
            self.files = {}
            self.frozen = None
            if begin != "nothing":
                self.send({"e1": 0, "e2": 0})
            if begin in ("approved", "locked"):
                self.approve("hạn chót")
            if begin == "locked":
                clock.now += datetime.timedelta(days=4)

        def receive(self, sha256, cells):
            rows = pd.DataFrame(
                {"dataset_id": FORM, "unit_id": UNIT, "period_id": PERIOD, "element_id": list(cells), "category_id": "total",
                 "value": [float(value) for value in cells.values()], "sheet": "", "row_number": range(1, len(cells) + 1)}
            )  # fmt: skip
            staging = Staging(lake, b"k" * 32)
            staging.start(sha256)
            staging.add(sha256, Batch("aggregate_value", rows, received=len(rows)), "test")
            gate.guard_locked_reports(warehouse, staging)
            received, landed, quarantined, _ = staging.counts[sha256]
            assert received == landed + quarantined
            with warehouse.transaction():
                staging.store("lake")
                lake.execute("DELETE FROM lake.received_file WHERE file_sha256 = ?", [sha256])
                lake.execute(
                    "INSERT INTO lake.received_file (file_sha256, file_name, received_at) VALUES (?, ?, ?)",
                    [sha256, sha256, tick().strftime("%Y-%m-%d %H:%M:%S")],
                )
            stored = lake.execute(
                "SELECT count(*) FROM lake.aggregate_value WHERE file_sha256 = ?", [sha256]
            ).fetchone()
            assert stored == (landed,)
            staging.clear()

        @rule(cells=st.dictionaries(st.sampled_from(["e1", "e2", "e3"]), st.integers(0, 2), min_size=1))
        def send(self, cells):
            sha256 = f"file{len(self.files):03}"
            self.files[sha256] = cells
            self.receive(sha256, cells)

        @precondition(lambda self: self.files)
        @rule(data=st.data(), cells=st.dictionaries(st.sampled_from(["e1", "e2"]), st.integers(0, 2), min_size=1))
        def read_a_file_again_otherwise(self, data, cells):
            self.receive(data.draw(st.sampled_from(sorted(self.files))), cells)

        @rule(hours=st.integers(1, 60))
        def time_passes(self, hours):
            clock.now += datetime.timedelta(hours=hours)

        @rule()
        def check(self):
            lake.execute("DELETE FROM lake.rule_coverage")
            at = (clock.now + datetime.timedelta(seconds=1)).strftime("%Y-%m-%d %H:%M:%S")
            names = list(actions.load_entries("rules"))
            lake.execute("INSERT INTO lake.rule_coverage (rule_id, checked_at) SELECT unnest(?), ?", [names, at])
            actions.check_reports(None, place="VN")

        @rule(despite=st.sampled_from(["", "hạn chót"]))
        def approve(self, despite):
            actions.approve_reports(None, place="VN", despite=despite)

        @rule()
        def give_back(self):
            actions.return_reports(None, place="VN", reason="thiếu")

        @rule()
        def reopen(self):
            if actions.reopen_reports(None, place="VN", reason="công văn").done:
                self.frozen = None

        def state(self):
            states.make_states(lake, now=clock.now)
            row = lake.execute("SELECT state FROM submission_state").fetchone()
            return row[0] if row else ""

        @invariant()
        def a_locked_report_does_not_change(self):
            current = lake.execute(f"SELECT element_id, value FROM ({CURRENT_VALUE}) ORDER BY ALL").fetchall()
            if self.frozen is not None:
                assert current == self.frozen
                assert self.state() == "locked"
            if self.state() == "locked":
                self.frozen = current

        @invariant()
        def the_table_says_what_the_pure_function_says(self):
            rows = lake.execute(
                "SELECT event, event_at, coalesce(reason, ''), changes FROM lake.submission_event ORDER BY event_number"
            ).fetchall()
            events = [Event(event, datetime.datetime.fromisoformat(at), why, bool(c)) for event, at, why, c in rows]
            state = self.state()
            assert state == state_of(events, DUE, clock.now)
            seen.add(state)

        @invariant()
        def what_was_approved_is_what_stands(self):
            assert verify.changed_after_approval(warehouse).empty

        @invariant()
        def returned_and_reopened_carry_a_reason(self):
            sql = "SELECT count(*) FROM lake.submission_event WHERE event IN ('returned', 'reopened') AND coalesce(reason, '') = ''"
            assert lake.execute(sql).fetchone() == (0,)

    return Report


def test_no_sequence_of_events_changes_a_locked_report(lake, monkeypatch):
    from hypothesis.stateful import run_state_machine_as_test

    seen = set()
    run_state_machine_as_test(
        machine(lake, monkeypatch, seen),
        settings=settings(max_examples=16, stateful_step_count=10, deadline=None, phases=[Phase.generate]),
    )
    assert {"received", "approved", "locked"} <= seen
