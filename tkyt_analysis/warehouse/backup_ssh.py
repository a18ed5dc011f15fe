"""A backup target on another machine, through the system's `ssh`: no further software here, a plain shell and tar there.

Objects travel as tar streams. They land in a folder `incoming` and are moved to their place once a stream has come in
whole, so that a broken connection leaves no half object. Keys and hosts are those of the user's own SSH set-up; SSH
never asks questions (batch mode), so that a nightly run fails clearly instead of waiting.
"""

from __future__ import annotations

import contextlib
import io
import shlex
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

from tkyt_analysis.errors import InputError, ProcessingError

BATCH_BYTES = 64 << 20
NO_CONNECTION = 255  # exit code of ssh itself
OPTIONS = (
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=20",
    "-o",
    "ServerAliveInterval=15",
    "-o",
    "ServerAliveCountMax=4",
)
LIST = 'test -d "$P" || exit 0; find "$P" -type f -exec wc -c {} + | grep -v " total$" || true'
RECEIVE = (
    "rm -rf incoming && mkdir -p incoming && tar -xf - -C incoming && cd incoming && find . -type f | "
    'while IFS= read -r f; do mkdir -p "../$(dirname "$f")" && mv -f "$f" "../$f" || exit 1; done && cd .. && '
    "rm -rf incoming && sync"
)
SEND = 'while IFS= read -r f; do test -f "$f" && printf "%s\\n" "$f"; done | tar -cf - -T - 2>/dev/null'


def _members(stream: IO[bytes] | None) -> Iterator[tuple[str, bytes]]:
    """Names and contents of a tar stream; where it breaks off, what did not come is simply not there."""
    with (
        contextlib.suppress(tarfile.ReadError),
        contextlib.closing(stream or io.BytesIO()) as source,
        tarfile.open(fileobj=source, mode="r|") as archive,
    ):
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                yield member.name, file.read()


class SshTarget:
    """A folder of another machine (`host` as the user's SSH knows it)."""

    def __init__(self, host: str, folder: str, *, create: bool = True) -> None:
        self.host, self.folder = host, folder.removeprefix("~/")  # SSH starts in the user's own folder
        self.place = f"{host}:{folder}"
        if create:
            self._run("umask 077; mkdir -p . ", inside=False)
        elif self._run("test -d . && echo yes || true", inside=False, make=False) != b"yes\n":
            raise InputError("error.backup_no_target", target=self.place)

    def sizes(self, prefix: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for line in self._run(f"P=./{shlex.quote(prefix)}; {LIST}").decode("utf-8", "replace").splitlines():
            size, _, name = line.strip().partition(" ")
            if size.isdigit():
                found[name.strip().removeprefix("./").lstrip("/")] = int(size)
        return {name: size for name, size in found.items() if not name.startswith("incoming/")}

    def put(self, objects: Iterable[tuple[str, bytes]]) -> None:
        batch: list[tuple[str, bytes]] = []
        size = 0
        for name, data in objects:
            batch.append((name, data))
            size += len(data)
            if size >= BATCH_BYTES:
                self._send(batch)
                batch, size = [], 0
        if batch:
            self._send(batch)

    def _send(self, batch: list[tuple[str, bytes]]) -> None:
        with tempfile.TemporaryFile() as stream:
            with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
                for name, data in batch:
                    member = tarfile.TarInfo(name)
                    member.size, member.mode = len(data), 0o600
                    archive.addfile(member, io.BytesIO(data))
            stream.seek(0)
            self._run(f"umask 077; {RECEIVE}", stdin=stream)

    def get(self, names: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        wanted = list(names)
        if not wanted:
            return
        missing = set(wanted)
        with tempfile.TemporaryFile() as listing, tempfile.TemporaryFile() as said:
            listing.write("".join(f"{name}\n" for name in wanted).encode())
            listing.seek(0)
            with subprocess.Popen(self._command(SEND), stdin=listing, stdout=subprocess.PIPE, stderr=said) as process:
                for name, data in _members(process.stdout):
                    missing.discard(name)
                    yield name, data
            if process.returncode == NO_CONNECTION:
                said.seek(0)
                raise self._failed(said.read().decode("utf-8", "replace"))
        yield from ((name, None) for name in wanted if name in missing)

    def rename(self, name: str, to: str) -> None:
        self._run(f"mv -f {shlex.quote(name)} {shlex.quote(to)} && sync")

    def remove(self, names: Iterable[str]) -> None:
        wanted = "".join(f"{name}\n" for name in names)
        if wanted:
            with tempfile.TemporaryFile() as listing:
                listing.write(wanted.encode())
                listing.seek(0)
                self._run('while IFS= read -r f; do rm -f "$f" || exit 1; done', stdin=listing)

    def sweep(self) -> None:
        """Remove what a broken connection left."""
        self._run("rm -rf incoming")

    def _command(self, command: str, *, make: bool = True) -> list[str]:
        place = shlex.quote(self.folder)
        enter = f"mkdir -p {place} && cd {place} && " if make else f"cd {place} 2>/dev/null || exit 0; "
        return ["ssh", *OPTIONS, "--", self.host, f"sh -c {shlex.quote(enter + '{ ' + command.strip() + '; }')}"]

    def _run(self, command: str, *, stdin: Any = subprocess.DEVNULL, inside: bool = True, make: bool = True) -> bytes:
        try:
            done = subprocess.run(self._command(command, make=make), stdin=stdin, capture_output=True)
        except FileNotFoundError:
            raise ProcessingError("error.backup_no_ssh", target=self.place) from None
        if done.returncode:
            raise self._failed(done.stderr.decode("utf-8", "replace"))
        return done.stdout

    def _failed(self, said: str) -> ProcessingError:
        text = " ".join(said.split())[-300:]
        if "No space left" in said or "quota" in said.lower():
            return ProcessingError("error.backup_full", target=self.place)
        if "Read-only" in said or "cannot create" in said.lower() or "mkdir" in said:
            return ProcessingError("error.backup_read_only", target=self.place)
        return ProcessingError("error.backup_target", target=self.place, problem=text or "ssh")
