"""Files sealed with AES-256-GCM in chunks: memory stays flat, and a changed, moved, missing or added chunk is noticed.

Layout: header (magic, bytes per chunk, random salt), then each chunk with its 16-byte tag. Every file has a key of its
own (BLAKE2b of key and salt); a chunk's nonce is its number and whether it is the last one (the STREAM construction of
Hoang, Reyhanitabar, Rogaway and Vizár, CRYPTO 2015). Header and `context` are authenticated with every chunk, so that
a sealed file cannot take the place of another one.
"""

from __future__ import annotations

import hashlib
import os
import struct
from typing import Any, BinaryIO

MAGIC = b"TKYTSEA1"
CHUNK = 1 << 20
TAG = 16
_HEADER = struct.Struct(">8sI16s")


class SealBrokenError(Exception):
    """Bytes were altered or are missing, or the key is another one."""


def is_sealed(head: bytes) -> bool:
    """Whether these first bytes of a file look like a sealed one."""
    return head.startswith(MAGIC)


def seal(source: BinaryIO, sink: BinaryIO, key: bytes, context: bytes) -> str:
    """Write `source` sealed into `sink`; the SHA-256 of the plain bytes."""
    header = _HEADER.pack(MAGIC, CHUNK, os.urandom(16))
    cipher = _cipher(key, header)
    sink.write(header)
    digest = hashlib.sha256()
    number, piece = 0, source.read(CHUNK)
    while True:
        following = source.read(CHUNK) if len(piece) == CHUNK else b""
        digest.update(piece)
        sink.write(cipher.encrypt(_nonce(number, not following), piece, header + context))
        if not following:
            return digest.hexdigest()
        number, piece = number + 1, following


def unseal(source: BinaryIO, sink: BinaryIO | None, key: bytes, context: bytes) -> int:
    """Write the plain bytes of a sealed file into `sink` (None: only check them); how many. Raises SealBrokenError."""
    from cryptography.exceptions import InvalidTag

    header = source.read(_HEADER.size)
    if len(header) < _HEADER.size or not is_sealed(header):
        raise SealBrokenError
    chunk = _HEADER.unpack(header)[1] + TAG
    if not TAG < chunk <= (64 << 20):
        raise SealBrokenError
    cipher = _cipher(key, header)
    number = written = 0
    piece = source.read(chunk)
    while True:
        following = source.read(chunk)
        try:
            plain = cipher.decrypt(_nonce(number, not following), piece, header + context)
        except (InvalidTag, ValueError):
            raise SealBrokenError from None
        written += len(plain)
        if sink:
            sink.write(plain)
        if not following:
            return written
        number, piece = number + 1, following


def _cipher(key: bytes, header: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt = _HEADER.unpack(header)[2]
    return AESGCM(hashlib.blake2b(salt, key=key, digest_size=32, person=b"tkyt sealed file").digest())


def _nonce(number: int, last: bool) -> bytes:
    return struct.pack(">QI", number, int(last))
