"""ADX and DXF2 XML as a stream of value elements; what stands behind a break is counted, value by value.

Nothing outside the file is ever loaded: a document type declaration (entities, external subsets) is refused. Memory is one
block, whatever the size of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.json_objects import Readable

BLOCK = 1 << 20
MAX_DEPTH = 16
SHORTEST_TAG = 20
ROOTS = {"dataValueSet": "dxf2", "adx": "adx"}
_VALUE = re.compile(rb"<(?:\w+:)?dataValue\b[^<]{0,4000}")
_ROOT = re.compile(rb"<(?:(\w+):)?(dataValueSet|adx)[\s>/]")


@dataclass
class ValueElement:
    """One `dataValue`: its attributes, those of its set or group, and its annotation."""

    number: int
    attributes: dict[str, str]
    group: dict[str, str]
    annotation: str = ""


@dataclass(frozen=True)
class Unread:
    """A value behind the break of a damaged file."""

    number: int
    text: str
    position: int


@dataclass
class Piece:
    """Some values, the groups that began among them, and values that could not be read."""

    values: list[ValueElement] = field(default_factory=list)
    groups: list[dict[str, str]] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def xml_root(head: bytes) -> str:
    """ "dxf2", "adx" or "" by the first element of a text."""
    text = re.sub(rb"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>", b"", head, flags=re.DOTALL).lstrip()
    match = _ROOT.match(text)
    return ROOTS[match[2].decode()] if match else ""


class ValueElements:
    """The values of a stream; iterate once. `broken_at` is the byte where the XML breaks, None where it is whole."""

    def __init__(self, stream: Readable, *, file: str) -> None:
        self.stream, self.file = stream, file
        self.broken_at: int | None = None
        self.problem = ""
        self._piece = Piece()
        self._number = 0
        self._path: list[str] = []
        self._scopes: list[dict[str, str]] = []
        self._text: list[str] | None = None

    def __iter__(self) -> Iterator[Piece]:
        parser = self._parser()
        fed, before = 0, b""
        for block in self._blocks():
            try:
                parser.Parse(block, not block)
            except expat.ExpatError as error:
                window = before + block
                start = max(0, parser.ErrorByteIndex - (fed - len(before)))
                yield from self._after_break(error, parser.ErrorByteIndex, window[start:])
                return
            yield self._taken()
            fed, before = fed + len(block), block  # a tag is never longer than a block

    def _blocks(self) -> Iterator[bytes]:
        """The blocks of the stream, and an empty one at its end."""
        while block := self.stream.read(BLOCK):
            yield block
        yield b""

    def _parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate("UTF-8")  # the stream is UTF-8 already, whatever the declaration says
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        return parser

    def _refuse(self, *_: object) -> None:
        raise InputError("error.xml_doctype", file=self.file)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self._path.append(local)
        if len(self._path) > MAX_DEPTH:
            raise InputError("error.xml_too_deep", file=self.file, depth=MAX_DEPTH)
        plain = {key.rpartition(":")[2]: value for key, value in attributes.items() if not key.startswith("xmlns")}
        if local in ("group", *ROOTS):
            group = {**(self._scopes[-1] if self._scopes else {}), **plain}
            self._scopes.append(group)
            self._piece.groups.append(group)
        elif local == "dataValue":
            self._number += 1
            group = self._scopes[-1] if self._scopes else {}
            self._piece.values.append(ValueElement(self._number, plain, group))
        elif local in ("annotation", "comment") and "dataValue" in self._path:
            self._text = []

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, name: str) -> None:
        local = self._path.pop()
        if self._text is not None and local in ("annotation", "comment") and self._piece.values:
            self._piece.values[-1].annotation = "".join(self._text).strip()
            self._text = None
        elif local in ("group", *ROOTS):
            self._scopes.pop()

    def _taken(self) -> Piece:
        """What was read so far; a value whose element is still open stays for the next piece."""
        keep = self._piece.values[-1:] if "dataValue" in self._path else []
        piece = Piece(self._piece.values[: len(self._piece.values) - len(keep)], self._piece.groups)
        self._piece = Piece(keep)
        return piece

    def _after_break(self, error: expat.ExpatError, position: int, rest: bytes) -> Iterator[Piece]:
        """The values before the break, then each value that stands behind it as unread."""
        self.broken_at = position
        self.problem = f"{expat.ErrorString(error.code)} ({error.lineno}:{error.offset})"
        yield Piece(self._piece.values, self._piece.groups)
        while rest:
            found = list(_VALUE.finditer(rest))
            yield Piece(unread=[self._unread(one[0]) for one in found])
            end = found[-1].end() if found else 0
            block = self.stream.read(BLOCK)
            rest = rest[end:][-SHORTEST_TAG:] + block if block else b""

    def _unread(self, text: bytes) -> Unread:
        self._number += 1
        return Unread(self._number, text[:80].decode("utf-8", "replace"), self.broken_at or 0)
