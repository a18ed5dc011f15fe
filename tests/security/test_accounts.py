"""Accounts of a home: the owner alone at first, then each user its account; every change has a reason and is on record."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tkyt_analysis.access import acting_as, changes, current_account, door, require
from tkyt_analysis.access.accounts import account_of, accounts_file, read_accounts
from tkyt_analysis.access.audit import check_chain, read_log
from tkyt_analysis.access.scopes import covered_units
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.places import places
from tkyt_analysis.warehouse.lake import Warehouse, create_home

PROVINCE, COMMUNE, ELSEWHERE = "VN2025:51", "VN2025:21040", "VN2025:01"


@pytest.fixture
def home(tmp_path):
    create_home(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def as_user(monkeypatch):
    """Work as another user of the operating system, who does not own the home."""

    def change(name):
        monkeypatch.setattr(door, "name_of_user", lambda uid=None: name)
        monkeypatch.setattr(door, "owner_uid", lambda home: os.getuid() + 1)

    return change


def refused(key):
    return pytest.raises(InputError, check=lambda error: error.key == key)


def add(home, name="so-yte", role="province", unit=PROVINCE, **more):
    return changes.add_account(home, name, role=role, unit_id=unit, why="Công văn 12", **more)


def test_a_home_without_accounts_is_its_owners_alone(home, as_user):
    assert current_account(home).scope.nation
    as_user("someone")
    with refused("error.home_of_other"):
        require(home, "read")


def test_the_first_account_writes_the_owners_down_and_takes_nothing_from_it(home):
    before = current_account(home)
    add(home)
    assert current_account(home) == before
    assert set(read_accounts(home)) == {before.name, "so-yte"}
    assert accounts_file(home).stat().st_mode & 0o077 == 0


def test_a_user_gets_the_account_tied_to_it_and_one_without_is_refused(home, as_user):
    add(home, os_user="thu")
    as_user("thu")
    assert current_account(home).name == "so-yte"
    with refused("error.outside_scope"):
        require(home, "read", place=ELSEWHERE)
    as_user("other")
    with refused("error.no_account"):
        current_account(home)


def test_a_withdrawn_account_stops_at_once(home, as_user):
    add(home, os_user="thu")
    changes.withdraw(home, "so-yte", why="sáp nhập")
    as_user("thu")
    with refused("error.account_withdrawn"):
        require(home, "read")


def test_an_account_and_a_grant_end_with_their_last_day(home):
    add(home, until="2026-06-30")
    changes.grant(home, "so-yte", "identifiers", why="rà soát", until="2026-03-31")
    records = read_accounts(home)
    record = records["so-yte"]
    record = type(record)(**{**vars(record), "since": "2026-01-01"})
    given = type(record.grants[0])(**{**vars(record.grants[0]), "since": "2026-01-01"})
    record = type(record)(**{**vars(record), "grants": (given,)})
    on = lambda day: account_of(record, records, day=day)  # noqa: E731
    assert [on(day).active for day in ("2025-12-31", "2026-01-01", "2026-06-30", "2026-07-01")] == [
        False,
        True,
        True,
        False,
    ]
    assert [bool(on(day).grants) for day in ("2026-03-31", "2026-04-01")] == [True, False]


def test_every_change_says_who_what_and_why_in_the_log(home):
    add(home)
    changes.grant(home, "so-yte", "identifiers", why="Quyết định 7")
    changes.revoke(home, "so-yte", "identifiers", why="xong việc")
    changes.withdraw(home, "so-yte", why="sáp nhập")
    said = [(entry["event"], entry["why"]) for entry in read_log(home)]
    assert said == [
        ("account_added", "Công văn 12"),
        ("right_granted", "Quyết định 7"),
        ("right_revoked", "xong việc"),
        ("account_withdrawn", "sáp nhập"),
    ]
    assert check_chain(home) == []


def test_changes_without_a_reason_or_without_the_right_are_refused_and_refusals_are_on_record(home, as_user):
    with refused("error.access_no_reason"):
        changes.add_account(home, "x", role="province", unit_id=PROVINCE, why=" ")
    owner = current_account(home).name
    add(home, os_user="thu")
    as_user("thu")
    for change in (
        lambda: add(home, "y"),
        lambda: changes.grant(home, "so-yte", "identifiers", why="tự cấp"),
        lambda: changes.withdraw(home, owner, why="x"),
    ):
        with refused("error.access_not_of_role"):
            change()
    assert [entry["event"] for entry in read_log(home)].count("refused") == 3


def test_nobody_grants_rights_to_the_own_account(home):
    add(home)
    with refused("error.account_own"):
        changes.grant(home, current_account(home).name, "identifiers", why="cần")


def test_an_administrator_does_not_hold_identifiers(home):
    add(home, "cntt", "administrator", "VN")
    with refused("error.access_may_not_hold"):
        changes.grant(home, "cntt", "identifiers", why="cần")


def test_a_place_for_a_task_needs_an_end_and_a_unit_under_the_ministry(home):
    add(home, "vien", "ministry_unit", "KCB:01001")
    add(home)
    with refused("error.access_task"):
        changes.grant(home, "vien", ELSEWHERE, why="nhiệm vụ")
    with refused("error.access_task"):
        changes.grant(home, "so-yte", ELSEWHERE, why="nhiệm vụ", until="2099-01-01")
    changes.grant(home, "vien", ELSEWHERE, why="nhiệm vụ", until="2099-01-01")
    assert account_of(read_accounts(home)["vien"], read_accounts(home)).reads.covers(ELSEWHERE)


def test_a_province_delegates_within_itself_only_and_its_delegation_ends_with_it(home, as_user, monkeypatch):
    add(home, os_user="thu")
    with monkeypatch.context() as patch:
        patch.setattr(door, "name_of_user", lambda uid=None: "thu")
        patch.setattr(door, "owner_uid", lambda home: os.getuid() + 1)
        more = {"role": "province_unit", "why": "phân công", "grants": ("check", "approve")}
        with refused("error.outside_scope"):
            changes.delegate(home, "cdc", unit_id=ELSEWHERE, **more)
        with refused("error.outside_scope"):
            changes.delegate(home, "cdc", unit_id=COMMUNE, units=(ELSEWHERE,), **more)
        with refused("error.access_delegated_role"):
            changes.delegate(home, "cdc", unit_id=COMMUNE, **more | {"role": "province"})
        changes.delegate(home, "cdc", unit_id=COMMUNE, units=("VN2025:51",), **more)
    records = read_accounts(home)
    assert account_of(records["cdc"], records).grants == {"check", "approve"}
    assert account_of(records["cdc"], records).scope.covers("VN2025:51")
    changes.withdraw(home, "so-yte", why="sáp nhập")
    records = read_accounts(home)
    lapsed = account_of(records["cdc"], records)
    assert (lapsed.grants, lapsed.scope.units) == (frozenset(), {COMMUNE})


UNITS = sorted(places("VN2025")["unit_id"].sample(60, random_state=1)) + sorted(
    places("VN2024")["unit_id"].sample(40, random_state=1)
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(giver=st.sampled_from(UNITS), units=st.lists(st.sampled_from(UNITS), max_size=4), own=st.sampled_from(UNITS))
def test_what_was_delegated_never_exceeds_the_giver(giver, units, own):
    from tkyt_analysis.access.accounts import AccountRecord

    records = {
        "tinh": AccountRecord("tinh", "province", giver, since="2020-01-01"),
        "don-vi": AccountRecord(
            "don-vi", "province_unit", own, units=tuple(units), delegated_by="tinh", since="2020-01-01"
        ),
    }
    account = account_of(records["don-vi"], records)
    assert covered_units(account.scope.units - {own}) <= covered_units(frozenset({giver}))


def test_only_those_who_administer_act_for_another_and_never_with_identifiers(home, as_user, monkeypatch):
    add(home, os_user="thu")
    changes.grant(home, "so-yte", "identifiers", why="rà soát")
    with acting_as(home, "so-yte") as account:
        assert current_account(home) == account
        assert account.grants == frozenset()
    assert current_account(home).name != "so-yte"
    add(home, "khac", "facility", COMMUNE)
    as_user("thu")
    with refused("error.acting_refused"), acting_as(home, "khac"):
        pass
    monkeypatch.setenv("TKYT_ACTING_AS", "khac")
    with refused("error.acting_refused"):
        current_account(home)


def test_raw_rows_are_for_accounts_of_the_nation(home):
    add(home)
    with acting_as(home, "so-yte"), refused("error.access_raw_rows"), Warehouse(home):
        pass
    with Warehouse(home) as warehouse:
        assert warehouse.tables()


def test_the_restricted_store_opened_by_hand_is_on_record_and_needs_the_grant(home):
    with Warehouse(home) as warehouse:
        warehouse.attach_restricted()
    assert [entry["event"] for entry in read_log(home)] == ["restricted_store_opened"]
    add(home, "cntt", "administrator", "VN")
    with acting_as(home, "cntt"), Warehouse(home) as warehouse, refused("error.access_identifiers"):
        warehouse.attach_restricted()
