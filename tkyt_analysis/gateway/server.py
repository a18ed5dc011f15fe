"""Which server, and with which secret. A secret comes from a file or the environment only, and is never shown.

TKYT_DHIS2_TOKEN_FILE      file with a personal access token (recommended), or TKYT_DHIS2_TOKEN
TKYT_DHIS2_USER            account name for basic authentication, with TKYT_DHIS2_PASSWORD_FILE or TKYT_DHIS2_PASSWORD
TKYT_DHIS2_CA_FILE         certificates (PEM) of the ministry's own authority
TKYT_DHIS2_PROXY           proxy to go through; proxies and passwords of the session's surroundings are not used
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tkyt_analysis.errors import InputError


@dataclass(frozen=True)
class Server:
    """Address and credentials of one DHIS2 server. `token` and `password` are left out of every text made of it."""

    url: str
    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    proxy: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """Name of the server's folder: host, port and path in letters that every file system takes."""
        parts = urlsplit(self.url)
        return re.sub(r"[^A-Za-z0-9.-]+", "_", f"{parts.hostname}_{parts.port or ''}{parts.path}").strip("_")

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be written anywhere."""
        return tuple(text for text in (self.token, self.password) if text)


def read_server(
    url: str,
    *,
    ca_file: Path | None = None,
    insecure_http: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Server:
    """The server of an address, with the secret that file or environment give. Raises InputError."""
    given = ca_file or environment.get("TKYT_DHIS2_CA_FILE")
    authority = Path(given) if given else None
    if authority and not authority.is_file():
        raise InputError("error.dhis2_ca_file", path=authority)
    address = _address(url, insecure_http=insecure_http)
    token = _secret(environment, "TKYT_DHIS2_TOKEN")
    user, password = environment.get("TKYT_DHIS2_USER", ""), ""
    if not token:
        password = _secret(environment, "TKYT_DHIS2_PASSWORD")
        if not user or not password:
            raise InputError("error.dhis2_no_secret")
    return Server(address, token, user, password, authority, environment.get("TKYT_DHIS2_PROXY", ""))


def _address(url: str, *, insecure_http: bool) -> str:
    """The address without a trailing slash or `/api`; refuses passwords in it, and plain http beyond this machine."""
    parts = urlsplit(url.strip())
    if parts.username or parts.password or "@" in parts.netloc:
        raise InputError("error.dhis2_secret_in_address", host=parts.hostname or "")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InputError("error.dhis2_address", found=f"{parts.scheme}://{parts.hostname or ''}{parts.path}")
    if parts.scheme == "http" and not insecure_http and not _is_loopback(parts.hostname):
        raise InputError("error.dhis2_plain_http", host=parts.hostname)
    path = re.sub(r"/api(/\d+)?$", "", parts.path.rstrip("/"))
    return f"{parts.scheme}://{parts.netloc}{path}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secret(environment: Mapping[str, str], name: str) -> str:
    """The first line of the file that NAME_FILE names, else NAME itself."""
    path = environment.get(f"{name}_FILE")
    if not path:
        return environment.get(name, "").strip()
    try:
        text = Path(path).expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise InputError("error.dhis2_secret_file", variable=f"{name}_FILE", path=path) from None
    if not text or "\n" in text:
        raise InputError("error.dhis2_secret_file", variable=f"{name}_FILE", path=path)
    return text
