"""One window's coding: the queue, the matter in hand with its candidates, and every step a coder takes. No widgets, no HTML."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from mortality.coder.choices import Choice, checked_choice, choices, latest
from mortality.coder.entries import learnt_entries
from mortality.coder.outbox import Outbox
from mortality.coder.queue import RECORD, TEXT, Queue, ages_of, load_queue
from mortality.coder.similar import Past, PastChoices
from mortality.coding.suggest import Candidate, suggest_codes
from tkyt_analysis.access import require
from tkyt_analysis.errors import InputError

MOST = 5


@dataclass(frozen=True)
class Item:
    """The matter in hand: its row of the queue as plain values, candidates, the sex that the decision is limited to, and why."""

    key: str
    row: dict[str, Any]
    candidates: tuple[Candidate, ...]
    sex: str = ""
    by_sex: bool = False  # the two sexes have different first candidates
    searched: str = ""

    @property
    def deaths(self) -> int:
        return int(self.row[self.sex]) if self.sex and self.row["kind"] == TEXT else int(self.row["deaths"])


@dataclass
class Coding:
    """home : where; sample : "" or the sample that is coded; item : the matter in hand (None: nothing waits)."""

    home: Path
    outbox: Outbox
    account: str
    sample: str = ""
    queue: Queue = field(default_factory=lambda: Queue(pd.DataFrame()))
    learnt: pd.DataFrame = field(default_factory=pd.DataFrame)
    item: Item | None = None
    decided: int = 0
    deaths_decided: int = 0
    skipped: list[str] = field(default_factory=list)
    done: list[tuple[str, Choice]] = field(default_factory=list)
    _rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    _order: list[str] = field(default_factory=list)
    _at: int = 0
    deaths_left: int = 0
    _past: PastChoices = field(default_factory=PastChoices)
    _gone: dict[str, dict[str, Any]] = field(default_factory=dict)
    _settled_with: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    _records: dict[tuple[Any, ...], list[str]] = field(default_factory=dict)

    # -- the queue

    def load(self, sample: str = "") -> None:
        """Read the queue anew (what waits in the outbox is stored first)."""
        self.outbox.flush()
        elsewhere = self.outbox.pending_elsewhere()
        self.queue = load_queue(self.home, sample=sample)
        self.learnt = learnt_entries(self.home)
        self.sample = sample
        self._rows = {key_of(row): row for row in _plain_rows(self.queue.items)}
        self._take_off(elsewhere)
        self._order, self._at = list(self._rows), 0
        self.deaths_left = sum(int(row["deaths"]) for row in self._rows.values())
        self.done, self._gone, self._settled_with, self._records = [], {}, {}, {}
        for key, row in self._rows.items():
            if row["kind"] == RECORD:
                self._records.setdefault((row["text_key"], row["age_band"], row["maternal"]), []).append(key)
        self._past = PastChoices(latest(choices(self.home)) if not sample else pd.DataFrame())
        self.next_item()

    def _take_off(self, elsewhere: list[Choice]) -> None:
        """Matters that another window of this account decided a moment ago are no longer asked about."""
        for key, choice in {
            (matter_of(one), one.sex): one for one in elsewhere if one.sample_id == self.sample
        }.items():
            row = self._rows.get(key[0])
            if row is not None and choice.state != "withdrawn":
                left = _with(row, choice, -1)
                self._rows[key[0]] = left
                if left["deaths"] <= 0:
                    del self._rows[key[0]]

    @property
    def left(self) -> int:
        """Matters that wait."""
        return len(self._rows)

    def first_waiting(self, most: int) -> list[tuple[str, dict[str, Any]]]:
        """The first matters with their keys in the order of work, those put off last."""
        put_off = set(self.skipped)
        first = (key for key in self._order if key in self._rows and key not in put_off)
        keys = [key for key, _ in zip(first, range(most))]
        keys += [key for key in self.skipped if key in self._rows][: most - len(keys)]
        return [(key, self._rows[key]) for key in keys]

    def next_item(self) -> None:
        """The first matter that was not put off; after all others those that were."""
        put_off = set(self.skipped)
        while self._at < len(self._order) and self._order[self._at] not in self._rows:
            self._at += 1  # decided matters at the front are passed over for good
        rest = range(self._at, len(self._order))
        key = next(
            (self._order[at] for at in rest if self._order[at] in self._rows and self._order[at] not in put_off), ""
        )
        if not key:
            key = next((one for one in self.skipped if one in self._rows), "")
        self.item = self._open(key) if key else None

    def open(self, key: str) -> None:
        """A matter that the coder picked from the list."""
        if key not in self._rows:
            raise InputError("error.coder_item_gone")
        self.skipped = [one for one in self.skipped if one != key]
        self.item = self._open(key)

    def _open(self, key: str) -> Item:
        """The matter with its candidates; where the sexes differ it is about the more frequent sex first."""
        row = self._rows[key]
        sex = _only_sex(row)
        if sex or row["kind"] == RECORD:
            return Item(key, row, self._suggest(row, sex))
        male, female = self._suggest(row, "male"), self._suggest(row, "female")
        if _first(male) == _first(female):
            return Item(key, row, self._suggest(row, ""))
        sex = "male" if row["male"] >= row["female"] else "female"
        return Item(key, row, male if sex == "male" else female, sex, by_sex=True)

    def _suggest(self, row: dict[str, Any], sex: str) -> tuple[Candidate, ...]:
        low, _ = ages_of(row)
        age = None if low is None or pd.isna(row["age_mid"]) else float(row["age_mid"])
        maternal = "within_42_days" if row["maternal"] else None
        return tuple(
            suggest_codes(
                str(row["written"]),
                limit=MOST,
                sex=sex or None,
                age_years=age,
                maternal=maternal,
                learnt=self.learnt,
            )
        )

    # -- one matter

    def search(self, words: str) -> None:
        """Other candidates: a code as typed, or what the words of the coder stand for ("" = those of the register's words)."""
        from mortality.coder.titles import candidates_for

        item = self._in_hand("")
        if not words.strip():
            self.item = self._open(item.key)
            return
        found = candidates_for(words, sex=item.sex or _only_sex(item.row), most=MOST, learnt=self.learnt)
        self.item = replace(item, candidates=found, searched=words.strip()[:80])

    def limit_to(self, sex: str) -> None:
        """Limit the decision to one sex of the records with these words ("" = all)."""
        item = self._in_hand("")
        if item.row["kind"] == TEXT and (not sex or item.row[sex]):
            self.item = replace(item, sex=sex, candidates=self._suggest(item.row, sex), searched="")

    def choose(self, number: int, *, item: str = "", note: str = "") -> Choice:
        """Take a candidate by its number, from 1."""
        here = self._in_hand(item)
        if not 1 <= number <= len(here.candidates):
            raise InputError("error.coder_no_candidate", found=number, most=len(here.candidates))
        return self._decide("code", here.candidates[number - 1].code, note)

    def refuse(self, state: str, *, item: str = "", note: str = "") -> Choice:
        """No code from these words: uncodable, or ask (the commune is asked)."""
        self._in_hand(item)
        return self._decide(state, "", note)

    def put_off(self, *, item: str = "") -> None:
        """Later: the matter goes to the end."""
        here = self._in_hand(item)
        self.skipped = [*(one for one in self.skipped if one != here.key), here.key]
        self.next_item()

    def take_back(self) -> None:
        """Take back the last decision of this window, and have the matter in hand again."""
        if not self.done:
            raise InputError("error.coder_nothing_to_undo")
        key, choice = self.done.pop()
        self.outbox.add(replace(choice, state="withdrawn", code="", suggested=(), note="", decided_at=_now()))
        self.decided, self.deaths_decided = self.decided - 1, self.deaths_decided - choice.deaths
        row = self._gone.pop(key, None) or self._rows[key]
        self._rows[key] = _with(row, choice, +1)
        others = self._settled_with.pop(key, {})
        self._rows |= others
        self._at, self.deaths_left = 0, self.deaths_left + choice.deaths + len(others)
        self.item = self._open(key)

    def _in_hand(self, item: str) -> Item:
        """The matter in hand. A key pressed for another one (a slow line) decides nothing."""
        if self.item is None or (item and item != self.item.key):
            raise InputError("error.coder_item_gone")
        return self.item

    def _decide(self, state: str, code: str, note: str) -> Choice:
        item = self._in_hand("")
        row = item.row
        single = row["kind"] == RECORD
        choice = Choice(
            text=str(row["written"]), state=state, code=code, death_id=str(row["death_id"]) if single else "",
            sex="" if single else item.sex, age_band=str(row["age_band"]), maternal=bool(row["maternal"]), suggested=item.candidates,
            deaths=item.deaths, sample_id=self.sample, note=note, decided_at=_now(),
        )  # fmt: skip
        checked_choice(choice)
        self.outbox.add(choice)
        self.done.append((item.key, choice))
        self.decided, self.deaths_decided = self.decided + 1, self.deaths_decided + choice.deaths
        self._settle(item, choice)
        if not self.sample:
            self._past.add(str(row["text_key"]), choice)
        self.next_item()
        return choice

    def _settle(self, item: Item, choice: Choice) -> None:
        """The matter leaves the queue, or stays with the records of the other sex."""
        left = _with(item.row, choice, -1)
        self.deaths_left -= choice.deaths
        if left["deaths"] > 0:
            self._rows[item.key] = left
        else:
            self._gone[item.key] = self._rows.pop(item.key)
        self.skipped = [one for one in self.skipped if one != item.key]
        if item.row["kind"] == TEXT:
            self._settle_records(item, choice)

    def _settle_records(self, item: Item, choice: Choice) -> None:
        """Records of high stake with these words are not asked about again, unless a rule refused them."""
        same = self._records.get((item.row["text_key"], item.row["age_band"], item.row["maternal"]), [])
        rows = {key: self._rows[key] for key in same if key in self._rows}
        met = {
            key: row
            for key, row in rows.items()
            if "rejected" not in row["stakes"] and (not choice.sex or row[choice.sex])
        }
        for key in met:
            del self._rows[key]
        self._settled_with[item.key] = met
        self.deaths_left -= len(met)

    def similar(self) -> list[Past]:
        """What was chosen before for words like these, the nearest first."""
        return self._past.near(str(self.item.row["text_key"])) if self.item is not None else []


def key_of(row: dict[str, Any]) -> str:
    """The same matter has the same key in every window: it survives a reload of the page."""
    import hashlib

    parts = (row["kind"], row["text_key"], row["age_band"], row["maternal"], row["death_id"])
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:16]


def _plain_rows(items: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as plain values, column by column (row by row takes several times as long)."""
    names = [str(name) for name in items.columns]
    columns = [items[name].astype(object).tolist() for name in items.columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def matter_of(choice: Choice) -> str:
    """The key of the matter that a choice decided."""
    from mortality.coder.keys import text_key

    kind = RECORD if choice.death_id else TEXT
    return key_of({"kind": kind, "text_key": text_key(choice.text), "age_band": choice.age_band, "maternal": choice.maternal,
                   "death_id": choice.death_id})  # fmt: skip


def _with(row: dict[str, Any], choice: Choice, sign: int) -> dict[str, Any]:
    """The row with the records of a choice taken off (−1) or put back (+1)."""
    if not choice.sex:
        return row if sign > 0 else {**row, "deaths": 0}
    if sign > 0 and row["deaths"] == choice.deaths and row[choice.sex] == choice.deaths:
        return row  # it had left the queue whole
    return {**row, "deaths": row["deaths"] + sign * choice.deaths, choice.sex: row[choice.sex] + sign * choice.deaths}


def _only_sex(row: dict[str, Any]) -> str:
    """The sex of all records of the row; "" where both occur or some are unknown."""
    return next((sex for sex in ("male", "female") if row[sex] == row["deaths"]), "")


def _first(candidates: tuple[Candidate, ...]) -> str:
    return candidates[0].code if candidates else ""


def _now() -> str:
    from tkyt_analysis.workflow.states import event_time, utc_now

    return event_time(utc_now())


def open_coding(home: Path) -> Coding:
    """Work for the account of this process; choices that a killed window left are stored first.

    Raises InputError without the right to check.
    """
    account = require(home, "check")
    outbox = Outbox(home, account.name)
    outbox.take_left()
    return Coding(Path(home), outbox, account.name)
