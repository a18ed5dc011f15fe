"""The code's version as a passport states it: the release number and a fingerprint of the sources that ran."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tkyt_analysis import __version__


@cache
def code_version() -> str:
    """`0.1.0+3fa94b21`: the eight digits change with any source or label file of the core and its modules."""
    from tkyt_analysis.modules import module_packages

    digest = hashlib.sha256()
    for package in ("tkyt_analysis", *module_packages()):
        spec = find_spec(package)
        root = Path(spec.origin).parent if spec and spec.origin else Path()
        for path in sorted(root.rglob("*")):
            if path.suffix in (".py", ".yaml", ".j2", ".css", ".typ", ".js"):
                digest.update(path.relative_to(root).as_posix().encode())
                digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:8]}"
