"""The files of the Lab: templates only to be read, own work stripped and formatted as it is saved, and paired with a text twin.

The server runs as one user, perhaps root, whom file permissions do not stop; so the refusal stands here. Pairing
(`Việc của tôi/a.ipynb` ↔ `Việc của tôi/py/a.py`) is jupytext's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupytext.async_contentsmanager import AsyncTextFileContentsManager
from tornado.web import HTTPError
from traitlets import default

from tkyt_analysis.lab_clean import clean_file, cleaned, cleaned_upload, is_notebook
from tkyt_analysis.lab_folders import folder_name, free_names
from tkyt_analysis.labels import label

PAIRED = "ipynb,py//py:percent"


class WorkContents(AsyncTextFileContentsManager):
    """JupyterLab's contents manager of the workbench."""

    notebook_extensions = ["ipynb"]

    @default("formats")
    def _pairs(self) -> str:
        return PAIRED

    async def get_config(self, path: str, use_cache: bool = False) -> WorkContents:
        """Jupytext's settings: these, whatever files lie about."""
        return self

    # -- templates and reports are read-only

    async def get(
        self, path: str, content: bool = True, type: str | None = None, format: str | None = None, **options: Any
    ) -> dict[str, Any]:
        """As the base class; what may not be written says so."""
        model = await super().get(path, content=content, type=type, format=format, **options)
        if not is_own(path):
            _mark_read_only(model)
        return model

    async def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        """Save the text of a notebook, or another file as it is."""
        require_own(path)
        if model.get("type") == "notebook" and is_notebook(model.get("content")):
            model = {**model, "content": await asyncio.to_thread(cleaned, model["content"])}
        elif path.endswith(".ipynb") and "chunk" not in model and isinstance(model.get("content"), str):
            model = {**model, "content": cleaned_upload(model["content"], model.get("format"))}
        saved = await super().save(model, path)
        if path.endswith(".ipynb") and model.get("chunk") == -1:  # the last part of a large file
            await asyncio.to_thread(clean_file, Path(self._get_os_path(path)))
        return saved

    async def new_untitled(self, path: str = "", type: str = "", ext: str = "") -> dict[str, Any]:
        """As the base class; what is new begins in the user's work, wherever the user looks."""
        return await super().new_untitled(path if is_own(path) else folder_name("mine"), type, ext)

    async def rename_file(self, old_path: str, new_path: str) -> None:
        """As the base class, within own work only."""
        require_own(old_path)
        require_own(new_path)
        await super().rename_file(old_path, new_path)
        if new_path.endswith(".ipynb"):
            await asyncio.to_thread(clean_file, Path(self._get_os_path(new_path)))

    async def delete_file(self, path: str) -> None:
        """As the base class, within own work only; the text twin goes along."""
        require_own(path)
        if path.strip("/") == folder_name("mine"):
            raise HTTPError(403, label("error.lab_own_folder"))
        await super().delete_file(path)
        twin = _twin(Path(self._get_os_path(path)))
        if path.endswith(".ipynb") and twin.exists():
            twin.unlink()

    async def copy(self, from_path: str, to_path: str | None = None) -> dict[str, Any]:
        """As the base class; a copy of what may not be written goes to the user's work, under a free name."""
        target = (to_path or "").strip("/")
        if to_path is None:
            target = from_path.strip("/").rpartition("/")[0]
        if not is_own(f"{target}/x"):
            target = folder_name("mine")
        if await self.dir_exists(target):
            target = f"{target}/{await self._free_name(target, from_path.rpartition('/')[2])}"
        return await super().copy(from_path, target)

    async def _free_name(self, folder: str, name: str) -> str:
        for one in free_names(name):
            if not await self.file_exists(f"{folder}/{one}") and not await self.dir_exists(f"{folder}/{one}"):
                return one
        raise AssertionError("names never end")

    async def list_checkpoints(self, path: str) -> Any:
        """As the base class; what may not be written has none."""
        return await super().list_checkpoints(path) if is_own(path) else []

    async def create_checkpoint(self, path: str) -> Any:
        """As the base class, within own work only."""
        require_own(path)
        return await super().create_checkpoint(path)

    async def restore_checkpoint(self, checkpoint_id: str, path: str) -> Any:
        """As the base class, within own work only."""
        require_own(path)
        return await super().restore_checkpoint(checkpoint_id, path)

    # -- a file is there whole, or as it was

    @contextlib.contextmanager
    def atomic_writing(self, os_path: str, *arguments: Any, **options: Any) -> Iterator[Any]:
        """Write beside the file and put it in its place at one instant: a kill leaves the old text or the new one."""
        with self.perm_to_403(os_path), replacing(Path(os_path), *arguments, **options) as file:
            yield file


@contextlib.contextmanager
def replacing(path: Path, text: bool = True, encoding: str = "utf-8", **options: Any) -> Iterator[Any]:
    """A file to write to, which takes the place of `path` when everything is on the disk."""
    path = path.resolve()
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    options.pop("log", None)
    mode = {"mode": "w", "encoding": encoding, "newline": options.pop("newline", "\n")} if text else {"mode": "wb"}
    try:
        with open(part, **mode, opener=lambda name, flags: os.open(name, flags, 0o600), **options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def is_own(path: str) -> bool:
    """Whether an API path lies in the user's own work."""
    parts = [part for part in path.strip("/").split("/") if part]
    return bool(parts) and parts[0] == folder_name("mine") and ".." not in parts


def require_own(path: str) -> None:
    """Refuse to change anything elsewhere with a sentence (HTTP 403)."""
    if is_own(path):
        return
    first = path.strip("/").split("/")[0]
    key = "error.lab_template" if first == folder_name("templates") else "error.lab_elsewhere"
    raise HTTPError(403, label(key, path=path.strip("/"), mine=folder_name("mine")))


def _mark_read_only(model: dict[str, Any]) -> None:
    own = model.get("type") == "directory" and is_own(str(model.get("path", "")))
    model["writable"] = own
    if model.get("type") == "directory" and isinstance(model.get("content"), list):
        for entry in model["content"]:
            entry["writable"] = is_own(str(entry.get("path", "")))


def _twin(notebook: Path) -> Path:
    return notebook.parent / "py" / f"{notebook.stem}.py"
