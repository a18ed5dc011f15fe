"""Custody: received bytes are sealed, whole or absent, come back as they were, and leave no plain copy behind."""

import hashlib
import io
import os
import stat
import subprocess
import sys
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.warehouse import custody, sealed_files
from tkyt_analysis.warehouse.custody import has, keep, kept_path, opened, seal_clear_files
from tkyt_analysis.warehouse.lake import create_home
from tkyt_analysis.warehouse.sealed_files import SealBrokenError, seal, unseal

NAME = "Nguyễn Văn Mô Phỏng"  # synthetic
KEY = b"k" * 32


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    create_home(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "so_a6.csv"
    path.write_text(f"ho_ten,ngay_chet\n{NAME},2025-03-04\n" * 1000, "utf-8")
    return path


def everything_in(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_what_was_received_comes_back_byte_for_byte_and_lies_encrypted(home, book):
    sha256, kept = keep(home, book)
    assert sha256 == hashlib.sha256(book.read_bytes()).hexdigest()
    assert kept == kept_path(home, sha256)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o400
    assert NAME.encode() not in everything_in(home)
    with opened(home, sha256) as plain:
        assert plain.read_bytes() == book.read_bytes()
        assert stat.S_IMODE(plain.stat().st_mode) == 0o600
        assert home in plain.parents
    assert not plain.exists()
    assert NAME.encode() not in everything_in(home)


def test_the_same_content_under_two_names_is_kept_once(home, book, tmp_path):
    (tmp_path / "ban sao.csv").write_bytes(book.read_bytes())
    first = keep(home, book)
    written = kept_path(home, first[0]).stat().st_ino
    assert keep(home, tmp_path / "ban sao.csv") == first
    assert kept_path(home, first[0]).stat().st_ino == written
    assert custody.kept_hashes(home) == [first[0]]


@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
@settings(max_examples=40, deadline=None)
def test_one_altered_byte_anywhere_is_noticed(place, flip):
    sealed = _sealed(b"x" * 5000, chunk=1024)
    at = int(place * len(sealed))
    altered = sealed[:at] + bytes([sealed[at] ^ flip]) + sealed[at + 1 :]
    with pytest.raises(SealBrokenError):
        unseal(io.BytesIO(altered), io.BytesIO(), KEY, b"name")


def _sealed(plain, *, chunk):
    sink = io.BytesIO()
    before, sealed_files.CHUNK = sealed_files.CHUNK, chunk
    try:
        seal(io.BytesIO(plain), sink, KEY, b"name")
    finally:
        sealed_files.CHUNK = before
    return sink.getvalue()


HEADER = 28
PIECE = 1024 + 16


@pytest.mark.parametrize(
    "damage",
    {
        "the last chunk is missing": lambda b: b[: HEADER + 4 * PIECE],
        "two chunks changed places": lambda b: b[:HEADER] + b[HEADER + PIECE : HEADER + 2 * PIECE] + b[HEADER : HEADER + PIECE] + b[HEADER + 2 * PIECE :],
        "a chunk came twice": lambda b: b[: HEADER + PIECE] + b[HEADER:],
        "a chunk was left out": lambda b: b[:HEADER] + b[HEADER + PIECE :],
        "bytes were added": lambda b: b + b"\0" * 20,
        "only the header is left": lambda b: b[:HEADER],
        "nothing is left": lambda b: b"",
    }.items(),
    ids=lambda pair: pair[0],
)  # fmt: skip
def test_order_and_end_of_the_chunks_are_protected(damage):
    sealed = _sealed(bytes(range(256)) * 20, chunk=1024)  # 5 × 1024 bytes
    unseal(io.BytesIO(sealed), io.BytesIO(), KEY, b"name")
    with pytest.raises(SealBrokenError):
        unseal(io.BytesIO(damage[1](sealed)), io.BytesIO(), KEY, b"name")


@given(plain=st.binary(max_size=5000), chunk=st.integers(1, 1500))
@settings(max_examples=40, deadline=None)
def test_any_content_and_chunk_size_round_trips(plain, chunk):
    out = io.BytesIO()
    assert unseal(io.BytesIO(_sealed(plain, chunk=chunk)), out, KEY, b"name") == len(plain)
    assert out.getvalue() == plain


def test_a_kept_file_cannot_take_the_place_of_another(home, book, tmp_path):
    other = tmp_path / "khac.csv"
    other.write_text("khác", "utf-8")
    first, second = keep(home, book)[0], keep(home, other)[0]
    kept_path(home, first).unlink()
    os.link(kept_path(home, second), kept_path(home, first))
    with pytest.raises(ProcessingError) as caught, opened(home, first):
        pass
    assert caught.value.key == "error.custody_altered"


def test_bytes_that_are_gone_are_said_to_be_gone(home, book):
    sha256, kept = keep(home, book)
    kept.unlink()
    assert not has(home, sha256)
    with pytest.raises(ProcessingError, match="tkyt restore") as caught, opened(home, sha256):
        pass
    assert caught.value.key == "error.custody_missing"


def test_a_file_that_changes_while_it_is_read_is_not_kept(home, book, monkeypatch):
    monkeypatch.setattr(custody, "file_sha256", lambda path: "0" * 64)
    with pytest.raises(InputError) as caught:
        keep(home, book)
    assert caught.value.key == "error.file_changing"
    assert custody.kept_hashes(home) == []


def clear(home, book):
    """A file as the first version kept it: unencrypted."""
    sha256 = hashlib.sha256(book.read_bytes()).hexdigest()
    kept = kept_path(home, sha256)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(book.read_bytes())
    return sha256


def test_files_of_an_older_home_are_read_in_the_clear_until_they_are_encrypted(home, book):
    sha256 = clear(home, book)
    with opened(home, sha256) as plain:
        assert plain.read_bytes() == book.read_bytes()
    assert kept_path(home, sha256).exists()
    assert seal_clear_files(home) == 1
    assert NAME.encode() not in everything_in(home)
    assert seal_clear_files(home) == 0
    with opened(home, sha256) as plain:
        assert plain.read_bytes() == book.read_bytes()


def test_an_altered_file_of_an_older_home_is_noticed(home, book):
    sha256 = clear(home, book)
    kept_path(home, sha256).write_bytes(book.read_bytes() + b"x")
    with pytest.raises(ProcessingError), opened(home, sha256):
        pass


def test_a_received_file_that_looks_like_a_sealed_one_is_kept_like_any_other(home, tmp_path):
    path = tmp_path / "la.bin"
    path.write_bytes(sealed_files.MAGIC + b"not sealed at all")
    sha256, _ = keep(home, path)
    with opened(home, sha256) as plain:
        assert plain.read_bytes() == path.read_bytes()
    kept_path(home, sha256).unlink()
    clear(home, path)
    with opened(home, sha256) as plain:
        assert plain.read_bytes() == path.read_bytes()


KILLED = """
import os, signal, sys
from pathlib import Path
from tkyt_analysis.warehouse.custody import opened
with opened(Path(sys.argv[1]), sys.argv[2]) as plain:
    assert plain.read_bytes()
    print(plain, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_plain_copy_left_by_a_crash_is_removed_when_the_next_one_is_made(home, book):
    sha256, _ = keep(home, book)
    done = subprocess.run([sys.executable, "-c", KILLED, str(home), sha256], capture_output=True, text=True)
    left = done.stdout.strip()
    assert os.path.exists(left)
    with opened(home, sha256) as mine:
        assert not os.path.exists(left)
        with opened(home, sha256) as second:  # one in use is not swept
            assert mine.exists()
            assert second != mine
    assert list((home / "work" / "private").glob("*.held")) == []


def test_members_of_an_archive_are_unpacked_inside_the_home_and_are_gone_afterwards(home, book, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))  # the system's place is not to be used
    with zipfile.ZipFile(tmp_path / "gui.zip", "w") as archive:
        archive.write(book, "thang 3/so_a6.csv")
    result = ingest(home, [tmp_path / "gui.zip"])
    assert {row["name"] for row in result.files} == {"gui.zip", "gui.zip/thang 3/so_a6.csv"}
    assert [path.name for path in (home / "work" / "private").iterdir()] == ["lock"]
    kept = everything_in(home / "restricted" / "received")
    assert NAME.encode() not in kept
