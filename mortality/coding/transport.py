"""Transport accidents read from who was hurt and what was hit: V01–V89 of ICD-10.

The three-character categories are a grid (WHO ICD-10 Volume 1, chapter XX): the person's way of going gives
the tens (pedestrian 0, bicycle 1, motorcycle 2, car 4, pick-up 5, lorry 6, bus 7), what it met gives the unit.
"""

from __future__ import annotations

from collections.abc import Sequence

from mortality.coding.letters import fold_word

_VICTIMS = {
    "di bo": "0", "qua duong": "0", "bo hanh": "0", "sang duong": "0",
    "xe dap": "1", "di xe dap": "1", "xe dap dien": "2",
    "xe may": "2", "di xe may": "2", "xe om": "2",
    "o to": "4", "taxi": "4", "xe ban tai": "5", "xe tai": "6", "xe khach": "7", "xe buyt": "7", "xe do": "7",
}  # fmt: skip
_MET = {
    "trau": "animal", "bo": "animal", "cho": "animal", "dap": "", "nguoi di bo": "person",
    "xe dap": "bicycle", "xe may": "motorcycle", "xe dap dien": "motorcycle", "o to": "car", "taxi": "car",
    "xe ban tai": "car", "xe tai": "lorry", "xe khach": "lorry", "xe buyt": "lorry", "xe do": "lorry",
    "may keo": "lorry", "xe cong nong": "lorry", "tau hoa": "train", "tau": "train",
    "cot dien": "fixed", "goc cay": "fixed", "cay": "fixed", "dai phan cach": "fixed", "lan can": "fixed",
    "tuong": "fixed", "cot moc": "fixed", "con luon": "fixed", "via he": "fixed", "nha": "fixed", "cong": "fixed",
    "xe bo": "cart", "xe keo": "cart", "xe ngua": "cart",
}  # fmt: skip
_UNIT = {
    "person": "0", "animal": "0", "bicycle": "1", "motorcycle": "2", "car": "3", "lorry": "4", "train": "5",
    "cart": "6", "fixed": "7", "alone": "8", "unknown": "9",
}  # fmt: skip
_PEDESTRIAN = {"bicycle": "V01.9", "motorcycle": "V02.9", "car": "V03.9", "lorry": "V04.9", "train": "V05.9"}
_HIT = ("dam", "tong", "dung", "va cham", "huc", "can", "va quet", "va")
_ALONE = ("tu nga", "nga", "te", "lat", "sup ho", "lao xuong", "truot", "tu te", "roi xuong", "mat lai", "lat xe")
_ON_FOOT = ("di bo", "qua duong", "sang duong", "bo hanh", "bang qua duong")
_ROAD = ("tai nan giao thong", "giao thong", "tai nan xe", "xe dam", "xe can", "xe tong", "xe dung", "tai nan duong bo")


def _places(text: str, phrases: Sequence[str]) -> list[tuple[int, str]]:
    """Where the phrases stand in the text, the longest of those at one place, in order."""
    found: dict[int, str] = {}
    for phrase in phrases:
        start = text.find(f" {phrase} ")
        while start >= 0:
            if len(phrase) > len(found.get(start, "")):
                found[start] = phrase
            start = text.find(f" {phrase} ", start + 1)
    return [
        (start, phrase)
        for start, phrase in sorted(found.items())
        if not any(other < start < other + len(word) for other, word in found.items() if other != start)
    ]


def _verb(text: str) -> tuple[int, str] | None:
    found = _places(text, _HIT)
    return found[0] if found else None


def _struck_by(text: str, place: int, vehicles: list[tuple[int, str]]) -> bool:
    """True for "… bị ô tô đâm": the vehicle before the verb is what hit, the person stands before "bị"."""
    cause = text.rfind(" bi ", 0, place)
    return cause >= 0 and any(cause < start < place for start, _ in vehicles)


def _code(victim: str, met: str) -> str:
    if victim == "0":
        return _PEDESTRIAN.get(met, "V09.2" if met != "unknown" else "V09.3")
    return f"V{victim}{_UNIT[met]}.9"


def transport_code(words: Sequence[str]) -> tuple[str, str] | None:
    """(code, how it was read) for words of a transport accident; None where none is told."""
    text = f" {' '.join(map(fold_word, words))} "
    vehicles = _places(text, list(_VICTIMS))
    verb = _verb(text)
    if not vehicles and not any(f" {phrase} " in text for phrase in _ROAD):
        return None
    walking = any(f" {phrase} " in text for phrase in _ON_FOOT)
    if walking and (verb or " xe " in text):
        hit = [
            _MET[word] for _, word in _places(text, list(_MET)) if _MET[word] not in ("", "animal", "person", "fixed")
        ]
        return _code("0", hit[0] if hit else "unknown"), f"di bo < {hit[0] if hit else 'xe'}"
    if verb and vehicles:
        return _collision(text, verb, vehicles)
    own = [(start, word) for start, word in vehicles if _VICTIMS[word] != "0"]
    if own and any(f" {phrase} " in text for phrase in _ALONE):
        return _code(_VICTIMS[own[0][1]], "alone"), f"{own[0][1]} + tu nga"
    if any(f" {phrase} " in text for phrase in ("xe dam", "xe can", "xe tong", "xe dung")):
        return "V09.3", "bi xe dam"
    if own and " tai nan " in text:
        return _code(_VICTIMS[own[0][1]], "unknown"), f"tai nan {own[0][1]}"
    return ("V89.2", "tai nan giao thong") if any(f" {phrase} " in text for phrase in _ROAD[:3]) else None


def _collision(text: str, verb: tuple[int, str], vehicles: list[tuple[int, str]]) -> tuple[str, str] | None:
    place = verb[0]
    met = _places(text, list(_MET))
    if _struck_by(text, place, vehicles):
        cause = text.rfind(" bi ", 0, place)
        before = [word for start, word in vehicles if start < cause]
        hit = [word for start, word in met if cause < start < place]
        victim = _VICTIMS[before[0]] if before else "0"
        return (_code(victim, _MET[hit[0]] or "unknown"), f"{before[:1] or 'nguoi'} < {hit[0]}") if hit else None
    before = [word for start, word in vehicles if start < place]
    after = [word for start, word in met if start > place]
    if not before:
        return (_code("0", _MET[after[0]] or "unknown"), f"nguoi < {after[0]}") if after else ("V09.3", "bi xe dam")
    if after:
        return _code(_VICTIMS[before[0]], _MET[after[0]] or "unknown"), f"{before[0]} x {after[0]}"
    if len(before) > 1:
        return _code(_VICTIMS[before[0]], _MET.get(before[1], "unknown") or "unknown"), f"{before[0]} x {before[1]}"
    return _code(_VICTIMS[before[0]], "unknown"), before[0]
