"""A home's data keys are wrapped by its master key: who has the home alone can read none of them."""

import hashlib
import json
import shutil

import pytest

from tkyt_analysis.errors import InputError
from tkyt_analysis.warehouse.keyring import PURPOSES, ring_file
from tkyt_analysis.warehouse.keys import create_key, has_master, home_id, key_file, read_key


@pytest.fixture(autouse=True)
def own_configuration(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("TKYT_KEY", raising=False)


@pytest.fixture
def home(tmp_path):
    create_key(tmp_path / "home")
    return tmp_path / "home"


def all_keys(home):
    return {purpose: read_key(home, purpose) for purpose in PURPOSES}


def first_version(home, master="ab" * 32):
    """A home as the first version left it: data, a master named after the path, neither ring nor id."""
    (home / "restricted").mkdir(parents=True)
    (home / "restricted" / "catalog.duckdb").write_bytes(b"data")
    name = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
    path = key_file(home)
    assert path.name == f"{name}.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(master + "\n", "ascii")
    return home


def test_every_purpose_has_its_own_random_key(home, tmp_path):
    keys = all_keys(home)
    assert {len(key) for key in keys.values()} == {32}
    assert len(set(keys.values())) == len(PURPOSES)
    create_key(tmp_path / "other")
    assert set(all_keys(tmp_path / "other").values()) & set(keys.values()) == set()


def test_no_key_stands_in_the_home(home):
    secret = [*all_keys(home).values(), bytes.fromhex(key_file(home).read_text("ascii"))]
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert not any(key in written or key.hex().encode() in written for key in secret)


def test_making_keys_again_changes_none(home):
    before, ring = all_keys(home), ring_file(home).read_bytes()
    create_key(home)
    assert all_keys(home) == before
    assert ring_file(home).read_bytes() == ring


def test_a_moved_home_finds_its_key(home, tmp_path):
    before = all_keys(home)
    moved = tmp_path / "elsewhere" / "home"
    shutil.move(home, moved)
    assert all_keys(moved) == before


def test_a_home_restored_without_its_id_file_is_known_by_its_ring(home):
    identity, before = home_id(home), all_keys(home)
    (home / "home_id").unlink()
    assert home_id(home) == identity
    assert all_keys(home) == before


def test_a_home_of_the_first_version_keeps_its_keys_when_it_gets_a_ring(tmp_path):
    home = first_version(tmp_path / "home")
    derived = {
        purpose: hashlib.blake2b(purpose.encode(), key=bytes.fromhex("ab" * 32), digest_size=32).digest()
        for purpose in PURPOSES
    }
    assert all_keys(home) == derived  # read before anything is written
    assert not ring_file(home).exists()
    create_key(home)
    assert ring_file(home).exists()
    assert all_keys(home) == derived
    assert key_file(home).exists()


def test_a_home_with_data_gets_no_new_master_when_its_own_is_missing(tmp_path):
    home = first_version(tmp_path / "home")
    key_file(home).unlink()
    with pytest.raises(InputError) as caught:
        create_key(home)
    assert caught.value.key == "error.key_missing"
    assert not key_file(home).exists()


def test_a_lost_ring_is_said_and_never_replaced(home):
    (home / "restricted" / "catalog.duckdb").write_bytes(b"data")
    ring_file(home).unlink()
    for ask in (lambda: read_key(home, "pseudonym"), lambda: create_key(home)):
        with pytest.raises(InputError) as caught:
            ask()
        assert caught.value.key == "error.keyring_missing"


def test_the_master_may_come_from_the_environment(home, monkeypatch):
    before = all_keys(home)
    monkeypatch.setenv("TKYT_KEY", key_file(home).read_text("ascii"))
    key_file(home).unlink()
    assert has_master(home)
    assert all_keys(home) == before
    monkeypatch.setenv("TKYT_KEY", "cd" * 32)
    with pytest.raises(InputError) as caught:
        read_key(home, "pseudonym")
    assert (caught.value.key, caught.value.fields["path"]) == ("error.key_wrong", "TKYT_KEY")


@pytest.mark.parametrize(
    ("text", "key"),
    [("cd" * 32, "error.key_wrong"), ("no key", "error.key_unreadable"), ("c0ffeec0ffee", "error.key_unreadable")],
)
def test_a_wrong_master_says_so(home, text, key):
    key_file(home).write_text(text, "ascii")
    with pytest.raises(InputError) as caught:
        read_key(home, "restricted")
    assert caught.value.key == key
    assert text not in caught.value.sentence("vi")


@pytest.mark.parametrize("damage", ["swap", "cut", "flip"])
def test_an_altered_ring_says_so(home, damage):
    stored = json.loads(ring_file(home).read_text("utf-8"))
    keys = stored["keys"]
    if damage == "swap":  # a key moved to another purpose
        keys["pseudonym"], keys["backup"] = keys["backup"], keys["pseudonym"]
    elif damage == "flip":
        wrapped = keys["audit"]["wrapped"]
        keys["audit"]["wrapped"] = ("B" if wrapped[20] == "A" else "A").join((wrapped[:20], wrapped[21:]))
    text = json.dumps(stored)
    ring_file(home).write_text(text[: len(text) // 2] if damage == "cut" else text, "utf-8")
    with pytest.raises(InputError) as caught:
        read_key(home, "pseudonym")
    assert caught.value.key == "error.keyring_unreadable"


def test_key_files_can_be_read_by_their_owner_only(home):
    assert key_file(home).stat().st_mode & 0o077 == 0
    assert ring_file(home).stat().st_mode & 0o077 == 0
