"""A user's way through the explorer, drawn at random with a seed: what people change, as often as they do."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from tkyt_analysis.explorer.filling import HEADING

# kind of interaction → how often in a hundred
KINDS = {
    "measure": 10, "place": 14, "period": 12, "granularity": 5, "rows": 12, "columns": 10, "filter": 10, "shows": 5,
    "totals": 3, "sort": 4, "picture": 8, "look": 4, "undo": 2, "turn": 1,
}  # fmt: skip
PICTURES = ("table", "table", "table", "bar", "line", "map", "pyramid", "small_multiples")


def walk(app: Any, *, seed: int, steps: int) -> Iterator[tuple[str, Callable[[], None]]]:
    """(kind, step) to be run one by one; each is drawn from what the app offers at that moment."""
    drawn = random.Random(seed)
    kinds, often = list(KINDS), list(KINDS.values())
    for _ in range(steps):
        kind = drawn.choices(kinds, often)[0]
        if app.problem is not None:  # who reads a sentence presses its button
            kind = "mend"
        yield kind, lambda kind=kind: _STEPS[kind](app, drawn)


def _set(picker: Any, drawn: random.Random, values: list[Any] | None = None) -> None:
    known = [value for _, value in picker.options] if values is None else values
    others = [value for value in known if value != picker.value]
    if others:
        picker.value = drawn.choice(others)


def _measure(app: Any, drawn: random.Random) -> None:
    app.pick.several.value = drawn.random() < 0.2
    _set(app.pick.found, drawn, [value for _, value in app.pick.found.options if not value.startswith(HEADING)])


def _place(app: Any, drawn: random.Random) -> None:
    levels = [app.pick.province, app.pick.province, app.pick.district, app.pick.commune]
    seen = [one for one in levels if one.layout.display != "none"]
    if drawn.random() < 0.06 or not seen:
        _set(app.pick.geography, drawn)
    else:
        _set(drawn.choice(seen), drawn)


def _rows(app: Any, drawn: random.Random) -> None:
    slot = app.pick.rows[0 if drawn.random() < 0.75 else 1]
    _set(slot, drawn, [value for _, value in slot.options if value or slot is not app.pick.rows[0]])


def _columns(app: Any, drawn: random.Random) -> None:
    _set(app.pick.columns[0 if drawn.random() < 0.75 else 1], drawn)


def _filter(app: Any, drawn: random.Random) -> None:
    if app.state.view.where and drawn.random() < 0.4:
        app.pick.unfilter.click()
        return
    known = [value for _, value in app.pick.filter_by.options if value not in ("", "commune", "facility")]
    if known:
        app.pick.filter_by.value = drawn.choice(known)
        members = [value for _, value in app.pick.members.options]
        app.pick.members.value = tuple(drawn.sample(members, min(len(members), drawn.randint(1, 3))))


def _picture(app: Any, drawn: random.Random) -> None:
    app.pick.picture.value = drawn.choice(PICTURES)


def _mend(app: Any, drawn: random.Random) -> None:
    if app.problem.fixes and drawn.random() < 0.6:
        app.mend(drawn.randrange(len(app.problem.fixes)))
    else:
        app.undo()


_STEPS: dict[str, Callable[[Any, random.Random], None]] = {
    "measure": _measure,
    "place": _place,
    "period": lambda app, drawn: _set(drawn.choice([app.pick.first, app.pick.last]), drawn),
    "granularity": lambda app, drawn: _set(app.pick.granularity, drawn),
    "rows": _rows,
    "columns": _columns,
    "filter": _filter,
    "shows": lambda app, drawn: _set(app.pick.shows, drawn),
    "totals": lambda app, drawn: setattr(app.pick.totals, "value", not app.pick.totals.value),
    "sort": lambda app, drawn: _set(drawn.choice([app.pick.sort, app.pick.top]), drawn),
    "picture": _picture,
    "look": lambda app, drawn: (_set(app.pick.detail, drawn), app.pick.look.click()),
    "undo": lambda app, drawn: app.undo(),
    "turn": lambda app, drawn: app.pick.turn.click(),
    "mend": _mend,
}
