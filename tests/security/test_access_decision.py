"""Who may do what where: the table of Article 9 line by line, and properties that hold for every account."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from tkyt_analysis.access import ACTIONS, ROLES, Account, Scope, decide
from tkyt_analysis.access.decision import GRANTED, rights
from tkyt_analysis.access.scopes import covered_units, is_known, within
from tkyt_analysis.reference.geography import crosswalk, province_merge
from tkyt_analysis.reference.places import places

# Quảng Ngãi of 2025 is Quảng Ngãi and Kon Tum of 2024; 21010 lies in it, 22015 and province 52 lie elsewhere.
PROVINCE, ELSEWHERE, OLD, OLD_TOO = "VN2025:51", "VN2025:52", "VN2024:51", "VN2024:62"
NATIONAL = Scope(nation=True)

# y: may; -: may not. Grants in brackets.
RULES = table("""
    account                | read nation | read own | read elsewhere | names own | receive own | check own | approve own | approve elsewhere | reopen own | publish | administer | backup
    administrator          | y           | y        | y              | -         | y           | -         | -           | -                 | -          | -       | y          | y
    ministry               | y           | y        | y              | -         | y           | y         | -           | -                 | -          | y       | -          | -
    ministry [identifiers] | y           | y        | y              | y         | y           | y         | -           | -                 | -          | y       | -          | -
    ministry [approve]     | y           | y        | y              | -         | y           | y         | y           | y                 | -          | y       | -          | -
    ministry_unit          | -           | y        | -              | -         | y           | -         | -           | -                 | -          | -       | -          | -
    province               | -           | y        | -              | -         | y           | y         | y           | -                 | y          | -       | -          | -
    province [identifiers] | -           | y        | -              | y         | y           | y         | y           | -                 | y          | -       | -          | -
    province_unit          | -           | y        | -              | -         | y           | -         | -           | -                 | -          | -       | -          | -
    province_unit [check]  | -           | y        | -              | -         | y           | y         | -           | -                 | -          | -       | -          | -
    province_unit [approve]| -           | y        | -              | -         | y           | -         | y           | -                 | -          | -       | -          | -
    facility               | -           | y        | -              | -         | y           | -         | -           | -                 | -          | -       | -          | -
    facility [identifiers] | -           | y        | -              | y         | y           | -         | -           | -                 | -          | -       | -          | -
""")
WORDS = {"names": "read_identifiers"}
PLACES = {"nation": "VN", "own": PROVINCE, "elsewhere": ELSEWHERE, "": "VN"}


def account(text, **changes):
    role, _, grants = text.replace("]", "").partition("[")
    role = role.strip()
    scope = NATIONAL if role in ("administrator", "ministry") else Scope(units=frozenset({PROVINCE}))
    given = {"scope": scope, "grants": frozenset(grants.split(", ")) - {""}, **changes}
    return Account("tk", role, "VN" if scope.nation else PROVINCE, **given)


@pytest.mark.parametrize(("who", "column"), list(itertools.product(RULES["account"], RULES.columns[1:])))
def test_the_table_of_rights_holds_line_by_line(who, column):
    action, _, place = column.partition(" ")
    expected = RULES.set_index("account").loc[who, column] == "y"
    assert decide(account(who), WORDS.get(action, action), place=PLACES[place]).allowed == expected


def test_hiv_rows_need_both_grants():
    assert not decide(account("province [hiv]"), "read_hiv", place=PROVINCE).allowed
    assert not decide(account("province [identifiers]"), "read_hiv", place=PROVINCE).allowed
    assert decide(account("province [identifiers, hiv]"), "read_hiv", place=PROVINCE).allowed


def test_reading_a_table_of_persons_is_reading_identifiers():
    assert not decide(account("ministry"), "read", table="death_identity").allowed
    assert decide(account("ministry [identifiers]"), "read", table="death_identity").allowed
    assert decide(account("ministry"), "read", table="death").allowed


def test_a_grant_that_the_role_may_not_hold_counts_for_nothing():
    assert not decide(account("administrator [identifiers]"), "read_identifiers", place="VN").allowed
    assert not decide(account("facility [approve]"), "approve", place=PROVINCE).allowed


def test_a_place_for_a_task_can_be_read_and_nothing_else():
    unit = account("ministry_unit [identifiers]", tasks=frozenset({ELSEWHERE}))
    assert decide(unit, "read", place=ELSEWHERE).allowed
    assert not decide(unit, "receive", place=ELSEWHERE).allowed


def test_a_withdrawn_account_may_do_nothing():
    gone = account("ministry", active=False)
    assert not any(decide(gone, action).allowed for action in ACTIONS)
    assert decide(gone, "read").reason == "error.account_withdrawn"


@given(
    role=st.sampled_from([*ROLES, "chief", ""]),
    action=st.one_of(st.sampled_from(ACTIONS), st.text(max_size=8)),
    place=st.one_of(
        st.none(), st.sampled_from(["VN", PROVINCE, OLD, "VN2025:99", "KCB:51Z01", ":", ""]), st.text(max_size=9)
    ),
    table_name=st.one_of(st.none(), st.sampled_from(["death", "death_identity"]), st.text(max_size=5)),
    grants=st.frozensets(st.sampled_from([*GRANTED, "everything"])),
    nation=st.booleans(),
)
def test_every_question_is_answered_and_what_is_not_known_is_refused_with_a_reason(
    role, action, place, table_name, grants, nation
):
    who = Account("tk", role, PROVINCE, Scope(nation, frozenset({PROVINCE})), grants)
    decision = decide(who, action, table=table_name, place=place)
    if role not in ROLES or action not in ACTIONS or (place is not None and not is_known(place)):
        assert not decision.allowed
    if not decision.allowed:
        from tkyt_analysis.labels import label

        assert label(decision.reason, "vi", **decision.fields)
        assert label(decision.reason, "en", **decision.fields)
    if decision.allowed and place is not None and not nation:
        assert within(place, frozenset({PROVINCE}))


@given(role=st.sampled_from(ROLES), grants=st.frozensets(st.sampled_from(sorted(GRANTED))))
def test_more_grants_never_take_a_right_away(role, grants):
    base = Account("tk", role, PROVINCE)
    assert rights(base) <= rights(Account("tk", role, PROVINCE, grants=grants))


# ---------------------------------------------------------------------------------- places

ALL_UNITS = sorted({unit for system in ("VN2024", "VN2025") for unit in places(system)["unit_id"]} - {"VN"})


def test_a_merged_province_keeps_the_places_of_all_its_old_provinces():
    assert within(OLD, frozenset({PROVINCE}))
    assert within(OLD_TOO, frozenset({PROVINCE}))
    old = places("VN2024")
    for old_province in (OLD, OLD_TOO):
        communes = old.loc[old["province_id"] == old_province, "unit_id"]
        assert set(communes) <= covered_units(frozenset({PROVINCE}))


def test_every_unit_of_either_system_lies_in_exactly_one_province_of_2025():
    scopes = [covered_units(frozenset({unit})) for unit in sorted(set(province_merge()["new_unit_id"]))]
    assert len(scopes) == 34
    assert all(sum(unit in scope for scope in scopes) == 1 for unit in ALL_UNITS)


def test_a_divided_commune_belongs_to_its_default_target_alone():
    links = crosswalk()
    divided = links[links["relation"] == "split"]
    for old, parts in list(divided.groupby("old_unit_id"))[:60]:
        owners = [new for new in parts["new_unit_id"] if within(old, frozenset({new}))]
        assert owners == parts.loc[parts["is_default"], "new_unit_id"].tolist()


def test_an_old_province_sees_its_new_communes_but_not_the_merged_province():
    seen = covered_units(frozenset({OLD_TOO}))
    assert PROVINCE not in seen
    assert OLD not in seen
    assert any(unit.startswith("VN2025:") for unit in seen)


@settings(max_examples=200)
@given(wide=st.sampled_from(ALL_UNITS), narrow=st.sampled_from(ALL_UNITS))
def test_what_lies_below_a_covered_unit_is_covered(wide, narrow):
    scope = frozenset({wide})
    if within(narrow, scope):
        assert covered_units(frozenset({narrow})) <= covered_units(scope)


def test_a_facility_lies_where_the_lists_put_it():
    assert not within("KCB:51Z01", frozenset({PROVINCE}))
    assert within("KCB:51Z01", frozenset({PROVINCE}), above=("VN2025:21010",)) == within(
        "VN2025:21010", frozenset({PROVINCE})
    )
    assert within("KCB:51Z01", frozenset({"KCB:51Z01"}))
