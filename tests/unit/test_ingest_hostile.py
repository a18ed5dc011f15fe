"""Files that lie, are broken or are meant to do harm: each ends in one sentence, and nothing else is lost."""

import gzip
import io
import json
import struct
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_support import received

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.csv_records import Layout, find_layout, read_records
from tkyt_analysis.ingest.dhis2 import DOOR as DHIS2
from tkyt_analysis.ingest.json_objects import ObjectList
from tkyt_analysis.ingest.safe_open import (
    LIMITS,
    ByteStream,
    RefusedMember,
    detect_encoding,
    expand,
    expand_archive,
    file_kind,
    open_utf8,
    require_readable,
)
from tkyt_analysis.ingest.tabular import DOOR as TABULAR

SMALL = replace(LIMITS, unpacked_bytes=4 << 20, workbook_bytes=4 << 20, ratio=100, ratio_from=1 << 20)


def workbook_bytes():
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["a", "b"])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def ole(name):
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504 + name.encode("utf-16-le") + b"\x00" * 100


def refusal(file, **options):
    """The key of the one sentence with which a file is refused; the sentence must exist in both languages."""
    with pytest.raises(InputError) as error:
        require_readable(file, **options)
    for language in ("vi", "en"):
        assert file.name in error.value.sentence(language)
    return error.value.key


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"a,b\n1,2\n", "text"),
        ("tỉnh;dân số\n".encode("utf-16"), "text"),
        ("tỉnh;số ca\nmột;hai\n".encode("utf-16-le"), "text"),
        (b'  {"dataValues": []}', "json"),
        (b"<html><body>404</body></html>", "html"),
        (b"<adx xmlns='urn:ihe'/>", "xml"),
        (b"%PDF-1.7\n", "pdf"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"Rar!\x1a\x07", "archive_other"),
        (b"PAR1....", "parquet"),
        (b"PK\x03\x04 not really", "damaged_zip"),
        (gzip.compress(b"a,b\n", mtime=0), "gz"),
        (workbook_bytes(), "xlsx"),
        (workbook_bytes()[:-200], "damaged_zip"),
        (zipped(**{"word/document.xml": b"<w/>", "[Content_Types].xml": b""}), "document"),
        (zipped(**{"a.csv": b"x"}), "zip"),
        (ole("EncryptedPackage"), "encrypted_workbook"),
        (ole("Workbook"), "xls"),
        (ole("WordDocument"), "document"),
        (bytes(range(256)) * 20 + b"\x00" * 500, "binary"),
    ],
)
def test_the_kind_of_a_file_is_told_by_its_content(tmp_path, content, kind):
    (tmp_path / "anything.xlsx").write_bytes(content)
    assert file_kind(tmp_path / "anything.xlsx") == kind


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "error.file_empty"),
        (b"%PDF-1.7 a scanned form", "error.file_wrong_kind"),
        (b"\x89PNG\r\n\x1a\n a photo of the book", "error.file_wrong_kind"),
        (b"<html>login</html>", "error.file_wrong_kind"),
        (ole("EncryptedPackage"), "error.file_encrypted_workbook"),
        (workbook_bytes()[:-200], "error.file_damaged_zip"),
        (zipped(**{"word/document.xml": b"<w/>", "[Content_Types].xml": b""}), "error.file_wrong_kind"),
        (zipped(), "error.archive_empty"),
        (gzip.compress(b"", mtime=0), "error.file_empty"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_in_one_sentence(tmp_path, content, key):
    file = received(tmp_path / "báo cáo.xlsx", content)
    assert refusal(file) == key
    assert (DHIS2.recognise(file), TABULAR.recognise(file)) == (0, 0)


def test_files_that_can_be_taken_are_not_refused(tmp_path):
    for content in (b"a,b\n1,2\n", b"{}", workbook_bytes(), gzip.compress(b"a", mtime=0), zipped(**{"a.csv": b"x"})):
        require_readable(received(tmp_path / "x", content))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    file = received(tmp_path / "bomb.zip", zipped(**{"zeros.csv": bytes(8 << 20)}))
    assert file.size < 20_000
    assert refusal(file, limits=SMALL) == "error.archive_bomb"
    with pytest.raises(InputError, match=r"bomb\.zip"):
        expand_archive(file, tmp_path / "out", limits=SMALL)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_workbook_that_is_a_bomb_is_refused(tmp_path):
    stream = io.BytesIO(workbook_bytes())
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet2.xml", bytes(8 << 20))
    file = received(tmp_path / "bomb.xlsx", stream.getvalue())
    assert file_kind(file.path) == "xlsx"
    assert refusal(file, limits=SMALL) == "error.archive_bomb"


def test_a_workbook_whose_directory_lies_about_a_size_is_refused(tmp_path):
    honest = zipped(**{"xl/workbook.xml": b"<w/>", "xl/worksheets/sheet1.xml": bytes(3 << 20)})
    size = struct.pack("<I", 3 << 20)
    assert honest.count(size) == 2  # in the local header and in the directory
    file = received(tmp_path / "liar.xlsx", honest.replace(size, struct.pack("<I", 100)))
    assert refusal(file) == "error.file_damaged_zip"


def test_a_gz_bomb_stops_at_the_limit(tmp_path):
    file = received(tmp_path / "bomb.csv.gz", gzip.compress(bytes(8 << 20)))
    assert refusal(file, limits=SMALL) == "error.archive_bomb"
    with ByteStream(file, limits=SMALL) as stream, pytest.raises(InputError):
        read_to_end(stream)
    assert stream.position < 5 << 20


def read_to_end(stream):
    while stream.read(1 << 16):
        pass


def test_an_archive_with_too_many_files_is_refused(tmp_path):
    file = received(tmp_path / "many.zip", zipped(**{f"{n}.csv": b"" for n in range(30)}))
    assert refusal(file, limits=replace(SMALL, members=20)) == "error.archive_members"


def test_members_of_an_archive_are_files_of_their_own_and_the_archive_is_untouched(tmp_path):
    content = zipped(**{"thư mục/a.csv": b"a,b\n", "b.json": b"{}", "__MACOSX/x": b"?", ".DS_Store": b"?", "dir/": b""})
    file = received(tmp_path / "gói.zip", content)
    members = list(expand(file))
    assert [member.name for member in members] == ["gói.zip/thư mục/a.csv", "gói.zip/b.json"]
    assert [member.path.read_bytes() for member in members] == [b"a,b\n", b"{}"]
    assert len({file.sha256, *(member.sha256 for member in members)}) == 3
    assert file.path.read_bytes() == content


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\windows\\a.csv", "a/../../b.csv"])
def test_a_name_that_leaves_the_folder_is_refused_and_the_others_are_taken(tmp_path, name):
    file = received(tmp_path / "z.zip", zipped(**{name: b"evil", "good.csv": b"a\n"}))
    bad, good = expand_archive(file, tmp_path / "inner" / "out")
    assert refusal(bad) == "error.archive_path_outside"
    assert good.path.read_bytes() == b"a\n"
    assert good.path.parent == tmp_path / "inner" / "out"
    assert [path.name for path in tmp_path.iterdir()] == ["inner"] or not (tmp_path / "b.csv").exists()


def test_an_archive_inside_an_archive_is_refused_and_the_others_are_taken(tmp_path):
    file = received(tmp_path / "z.zip", zipped(**{"inner.zip": zipped(a=b"a"), "good.csv": b"a\n"}))
    inner, good = expand_archive(file, tmp_path / "out")
    assert isinstance(inner, RefusedMember)
    assert refusal(inner) == "error.archive_nested"
    assert file_kind(good.path) == "text"


def test_a_workbook_inside_an_archive_is_no_archive(tmp_path):
    (only,) = expand_archive(received(tmp_path / "z.zip", zipped(**{"b.xlsx": workbook_bytes()})), tmp_path / "out")
    assert file_kind(only.path) == "xlsx"
    require_readable(only)


def test_a_member_with_a_password_or_a_wrong_checksum_is_refused_alone(tmp_path):
    content = bytearray(zipped(**{"a.csv": b"unlucky", "good.csv": b"a\n"}))
    directory = content.index(b"PK\x01\x02")
    locked = bytearray(content)
    locked[6] |= 1  # local header and directory both say "encrypted"
    locked[directory + 8] |= 1
    first, good = expand_archive(received(tmp_path / "l.zip", bytes(locked)), tmp_path / "l")
    assert (refusal(first), good.path.read_bytes()) == ("error.archive_password", b"a\n")
    content[directory + 16] ^= 0xFF  # the checksum in the directory
    first, good = expand_archive(received(tmp_path / "d.zip", bytes(content)), tmp_path / "d")
    assert (refusal(first), good.path.read_bytes()) == ("error.archive_member_damaged", b"a\n")


# ----------------------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"plain\n", "utf-8"),
        ("Quảng Ngãi\n".encode(), "utf-8"),
        ("Quảng Ngãi\n".encode("utf-8-sig"), "utf-8"),
        ("Quảng Ngãi\n".encode("utf-16"), "utf-16"),
        ("Quang Ngai, Ba To\n".encode("utf-16-be"), "utf-16-be"),
        ("Quảng Ngãi\n".encode() * 50 + b"\xff\n", "utf-8"),
        ("Qua\u0309ng Nga\u0303i\n".encode("cp1258"), "cp1258"),
        (b"x" * (3 << 20) + "\nQua\u0309ng Nga\u0303i\n".encode("cp1258") * 9, "cp1258"),
    ],
)
def test_the_encoding_is_found_and_the_text_comes_out_as_utf8(tmp_path, content, encoding):
    import unicodedata

    file = received(tmp_path / "t.csv", content)
    assert detect_encoding(file) == encoding
    with open_utf8(file) as stream:
        text = b""
        while block := stream.read(1000):
            text += block
    if b"\xff\n" not in content[-3:] and content != b"plain\n":
        composed = unicodedata.normalize("NFC", text.decode())
        assert "Quảng Ngãi" in composed or "Quang Ngai" in composed
    assert not text.startswith(b"\xef\xbb\xbf")


# ------------------------------------------------------------------------------------------------------ CSV and JSON


def records_of(content, block_size, header=("a", "b", "c")):
    layout = find_layout(content, lambda cells: float(tuple(cells) == header))
    rows, broken = [], []
    for piece in read_records(io.BytesIO(content), layout, block_size=block_size):
        rows += [tuple(row.values()) for row in piece.table.to_pylist()]
        broken += [(one.row_number, one.reason.rpartition(".")[2]) for one in piece.broken]
    return sorted(rows), sorted(broken)


AWKWARD = b'''\
# a comment
a,b,c
1,2,3

4,5
7,8,9,10
7,8,9,
x,"y
z",w
\xff\xfe,1,2
a"b,"c,3
5,6,7
"open,1,2
8,9,10
"q, r","say ""hi""",2
last,1,2'''


@pytest.mark.parametrize("block_size", [1, 7, 16, 64, 1 << 20])
def test_a_csv_gives_the_same_records_and_lines_whatever_the_size_of_the_blocks(block_size):
    rows, broken = records_of(AWKWARD, block_size)
    assert rows == sorted([
        (3, "1", "2", "3"), (7, "7", "8", "9"), (8, "x", "y\nz", "w"), (12, "5", "6", "7"), (14, "8", "9", "10"),
        (15, "q, r", 'say "hi"', "2"), (16, "last", "1", "2"),
    ])  # fmt: skip
    assert broken == [
        (5, "csv_field_count"), (6, "csv_field_count"), (10, "bad_encoding"), (11, "csv_field_count"),
        (13, "csv_open_quote"),
    ]  # fmt: skip


def test_a_line_without_end_does_not_fill_the_memory():
    content = b"a,b,c\n1,2,3\n" + b"x" * (5 << 20) + b"\n4,5,6\n"
    rows, broken = records_of(content, 1 << 20)
    assert rows == [(2, "1", "2", "3"), (4, "4", "5", "6")]
    assert broken == [(3, "csv_line_too_long")]


@given(
    st.lists(
        st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=6)] * 3), max_size=8
    )
)
def test_what_a_csv_writer_writes_is_read_back(rows):
    import csv

    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    content = b'"a","b","c"\n' + stream.getvalue().encode()
    found, broken = [], []
    for piece in read_records(io.BytesIO(content), Layout(",", ("a", "b", "c"), 1), block_size=11):
        found += [tuple(row.values()) for row in piece.table.to_pylist()]
        broken += piece.broken
    assert [row[1:] for row in sorted(found)] == rows
    assert broken == []


def objects_of(content, block_size=1 << 20):
    source = ObjectList(io.BytesIO(content), "v", block_size=block_size)
    pieces = list(source)
    return [one for piece in pieces for one in piece.objects], [one for piece in pieces for one in piece.broken], source


@pytest.mark.parametrize("block_size", [1, 5, 50, 1 << 20])
def test_a_damaged_object_costs_only_itself(block_size):
    content = b'{"set": "X", "v": [{"a": "1"}, {"a": "2}, {"a": "}{"}, {"a": 4"}, {"a": "5]"}], "after": "Y"}'
    objects, broken, source = objects_of(content, block_size)
    assert objects == [{"a": "1"}, {"a": "}{"}, {"a": "5]"}]
    assert [content[one.position :].startswith(one.text.encode()) for one in broken] == [True, True]
    assert (source.closed, source.attributes) == (True, {"set": "X", "after": "Y"})


def test_a_bracket_too_early_does_not_hide_the_values_behind_it():
    content = b'{"v": []"a": "0"}, {"a": "1"}], "x": [{"a": "2"}]}'
    objects, broken, _ = objects_of(content)
    assert objects == [{"a": "1"}]
    assert [one.reason for one in broken] == ["quarantine.json_damaged", "quarantine.json_after_list"]


def test_a_text_without_end_inside_json_does_not_fill_the_memory():
    content = b'{"v": [{"a": "1"}, {"a": "' + b"x" * (6 << 20) + b'"}, {"a": "3"}]}'
    objects, broken, _ = objects_of(content, 1 << 18)
    assert objects == [{"a": "1"}, {"a": "3"}]
    assert broken
    assert all(len(one.text) <= 160 for one in broken)


@given(
    st.lists(st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=6), min_size=1, max_size=3), max_size=6),
    st.integers(1, 40),
)
def test_what_a_json_writer_writes_is_read_back(objects, block_size):
    content = json.dumps({"v": objects}, ensure_ascii=False).encode()
    found, broken, source = objects_of(content, block_size)
    assert (found, broken, source.closed) == (objects, [], True)
