"""New keys at any time: what is stored stays readable, pseudonyms stay, a kill at any instant harms nothing."""

import shutil

import pytest
from kill_support import in_a_process, killed_and_run_again, seconds_of
from small_doors import one_file_per_commit, write_registers

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest import receive
from tkyt_analysis.warehouse import key_rotation
from tkyt_analysis.warehouse.digest import warehouse_digest
from tkyt_analysis.warehouse.key_rotation import key_status, rotate_master, rotate_restricted
from tkyt_analysis.warehouse.keyring import NEXT_RESTRICTED, PURPOSES, ring_file
from tkyt_analysis.warehouse.keys import key_file, open_ring, read_key, read_restricted_keys, waiting_key
from tkyt_analysis.warehouse.lake import Warehouse, create_home


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A home with two registers; its master lies beside it, so that copies have a master each."""
    folder = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        one_file_per_commit(patch)
        create_home(folder / "home")
        receive.ingest(folder / "home", [write_registers(folder / "in", 2)])
        shutil.copy(key_file(folder / "home"), folder / "home" / "master.key")
    return folder / "home"


@pytest.fixture
def home(filled, tmp_path, monkeypatch):
    shutil.copytree(filled, tmp_path / "home")
    shutil.move(tmp_path / "home" / "master.key", tmp_path / "master.key")
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "master.key"))
    return tmp_path / "home"


def all_keys(home):
    return {purpose: read_key(home, purpose) for purpose in PURPOSES}


def names(home):
    with Warehouse(home) as warehouse:
        warehouse.attach_restricted()
        return sorted(
            warehouse.query(
                "SELECT full_name FROM restricted.death_identity i JOIN lake.death d ON d.death_id = i.death_id"
            )["full_name"]
        )


def test_a_new_master_opens_the_same_keys_and_the_old_one_no_longer_does(home, tmp_path, monkeypatch):
    before, old = all_keys(home), key_file(home).read_text("ascii")
    ring = ring_file(home).read_bytes()
    rotate_master(home)
    assert key_file(home).read_text("ascii") != old
    assert all_keys(home) == before
    (tmp_path / "other").write_text(old, "ascii")
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "other"))
    with pytest.raises(InputError) as caught:
        read_key(home, "pseudonym")
    assert caught.value.key == "error.key_wrong"
    ring_file(home).write_bytes(ring)  # an old backup: the old master opens it
    assert all_keys(home) == before


def test_a_ring_from_an_old_backup_is_opened_by_the_master_that_was_kept(home):
    before, ring = all_keys(home), ring_file(home).read_bytes()
    rotate_master(home)
    rotate_master(home)
    assert len(key_status(home)["retired"]) == 2
    ring_file(home).write_bytes(ring)
    assert all_keys(home) == before


class Killed(BaseException):
    """Stands for the instant at which a process dies."""


@pytest.mark.parametrize("step", ["write_whole", "save_ring", "_put_in_place"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_rotation_of_the_master_that_dies_between_two_steps_leaves_a_readable_home(home, monkeypatch, step, when):
    before = all_keys(home)
    real = getattr(key_rotation, step)

    def die(*arguments, **options):
        if when == "after":
            real(*arguments, **options)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(key_rotation, step, die)
        with pytest.raises(Killed):
            rotate_master(home)
    assert all_keys(home) == before
    rotate_master(home)
    assert all_keys(home) == before
    assert not waiting_key(key_file(home)).exists()


def test_two_homes_with_one_master_both_stay_readable_when_one_rotates(home, tmp_path):
    shutil.copytree(home, tmp_path / "other")
    before = all_keys(home)
    rotate_master(home)
    assert all_keys(tmp_path / "other") == before
    rotate_master(tmp_path / "other")
    assert all_keys(home) == all_keys(tmp_path / "other") == before


def test_a_master_from_the_environment_is_replaced_in_a_file_that_is_named(home, tmp_path, monkeypatch):
    before = all_keys(home)
    monkeypatch.setenv("TKYT_KEY", key_file(home).read_text("ascii"))
    with pytest.raises(InputError) as caught:
        rotate_master(home)
    assert caught.value.key == "error.rotate_needs_file"
    rotate_master(home, new_key=tmp_path / "new.key")
    monkeypatch.setenv("TKYT_KEY", (tmp_path / "new.key").read_text("ascii"))
    assert all_keys(home) == before
    with pytest.raises(InputError) as caught:
        rotate_master(home, new_key=tmp_path / "new.key")
    assert caught.value.key == "error.rotate_file_exists"


def test_the_restricted_store_is_rewritten_under_a_new_key_and_nothing_old_is_left(home):
    people, keys, digest = names(home), all_keys(home), warehouse_digest(home)
    old_files = {path.name for path in (home / "restricted" / "data").rglob("*.parquet")}
    assert len(people) == 2 * 19
    assert old_files
    assert rotate_restricted(home) == 2 * 19
    assert names(home) == people
    assert warehouse_digest(home) == digest
    assert read_key(home, "restricted") != keys["restricted"]
    assert {**all_keys(home), "restricted": b""} == {**keys, "restricted": b""}
    assert not old_files & {path.name for path in (home / "restricted" / "data").rglob("*.parquet")}
    assert not list((home / "restricted").glob("catalog.next*"))


@pytest.mark.parametrize("step", ["_build_beside", "_switch", "remove_other_files"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_rewrite_that_dies_between_two_steps_leaves_a_readable_store(home, monkeypatch, step, when):
    people = names(home)
    real = getattr(key_rotation, step)

    def die(*arguments):
        if when == "after":
            real(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(key_rotation, step, die)
        with pytest.raises(Killed):
            rotate_restricted(home)
    assert names(home) == people
    rotate_restricted(home)
    assert names(home) == people
    assert len(read_restricted_keys(home)) == 1
    assert NEXT_RESTRICTED not in open_ring(home)[0].keys


def rotate_both(home):
    import os

    os.environ["TKYT_KEY_FILE"] = str(home / "master.key")
    rotate_restricted(home)
    rotate_master(home)


@pytest.mark.slow
def test_keys_can_be_rotated_while_the_process_is_killed_at_random_instants(filled, tmp_path, monkeypatch):
    shutil.copytree(filled, tmp_path / "undisturbed")
    seconds = seconds_of(rotate_both, tmp_path / "undisturbed")
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "undisturbed" / "master.key"))
    people, pseudonym = names(tmp_path / "undisturbed"), read_key(tmp_path / "undisturbed", "pseudonym")

    def still_readable(home):
        monkeypatch.setenv("TKYT_KEY_FILE", str(home / "master.key"))
        assert names(home) == people
        assert read_key(home, "pseudonym") == pseudonym

    homes = killed_and_run_again(
        rotate_both,
        template=filled,
        folder=tmp_path,
        seconds=seconds,
        kills=20,
        kills_per_home=10,
        seed=20261122,
        after_kill=still_readable,
    )
    for home in homes:
        still_readable(home)
        assert len(read_restricted_keys(home)) == 1
    assert not in_a_process(rotate_both, tmp_path / "undisturbed")
