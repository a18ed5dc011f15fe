"""Lists of a DHIS2 server, whole: in one answer while they are short, else page by page, and counted at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tkyt_analysis.gateway.answers import Answer, require_json
from tkyt_analysis.gateway.client import Gateway, Parameters
from tkyt_analysis.gateway.problems import GatewayProblem

WHOLE_LIST = 20_000
PAGE_SIZE = 1_000


def fetch_list(
    gateway: Gateway, path: str, params: Parameters, *, whole: int = WHOLE_LIST, page_size: int = PAGE_SIZE
) -> Iterator[Answer]:
    """The answers that hold all objects of a list (`path` is also its key), e.g. "organisationUnits".

    whole : up to so many objects are asked for with paging=false; more come in pages of `page_size`
    Raises GatewayProblem where a page repeats another, or the objects are not as many as the server said.
    """
    params = list(params)
    total = list_total(gateway, path, [pair for pair in params if pair[0] == "filter"])
    if total <= whole:
        yield _whole_list(gateway, path, params, total)
    else:
        yield from _pages(gateway, path, params, total, page_size)


def list_total(gateway: Gateway, path: str, conditions: Parameters = ()) -> int:
    """How many objects the server says the list has."""
    answer = gateway.ask(path, [*conditions, ("page", "1"), ("pageSize", "1")])
    return int((answer.get("pager") or {}).get("total", 0))


def _whole_list(gateway: Gateway, path: str, params: list[tuple[str, str]], total: int) -> Answer:
    def judge(answer: Answer) -> None:
        found = len(_identifiers(require_json(answer), path))
        if found < total:
            raise GatewayProblem("error.dhis2_list_short", retry=True, where=answer.where, found=found, total=total)

    return gateway.fetch(path, [*params, ("paging", "false")], judge=judge)


def _pages(gateway: Gateway, path: str, params: list[tuple[str, str]], total: int, page_size: int) -> Iterator[Answer]:
    """Pages until all objects came; a page that the server adds beyond them is not asked for."""
    seen: set[str] = set()
    page = 0
    while len(seen) < total:
        page += 1
        answer, new = _one_page(gateway, path, params, page, page_size, seen)
        if not new:
            raise GatewayProblem("error.dhis2_list_short", where=answer.where, found=len(seen), total=total)
        seen |= new
        yield answer


def _one_page(
    gateway: Gateway, path: str, params: list[tuple[str, str]], page: int, page_size: int, seen: set[str]
) -> tuple[Answer, set[str]]:
    """One page and its identifiers; asked for again where it repeats what earlier pages held."""
    new: set[str] = set()

    def judge(answer: Answer) -> None:
        content = require_json(answer)
        new.clear()
        new.update(_identifiers(content, path))
        said = int((content.get("pager") or {}).get("page", page))
        if said != page or new & seen:
            raise GatewayProblem("error.dhis2_page_repeated", retry=True, where=answer.where, page=page, found=said)

    asked = [*params, ("page", str(page)), ("pageSize", str(page_size))]
    return gateway.fetch(path, asked, judge=judge), new


def _identifiers(content: Any, path: str) -> set[str]:
    """Identifiers of a list's objects; objects without one are told apart by what they hold."""
    key = path.strip("/").split("/")[-1].split(".")[0]
    return {str(item.get("id") or item) for item in content.get(key) or []}
