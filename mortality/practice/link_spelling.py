"""One name as different offices write it: each function takes a name and returns the name written otherwise.

Written for practice lists alone, from how clerks write, and on purpose not from the code that compares names: what
the linkage is measured with must not be made of its own rules.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

TONES = {"\u0300": "f", "\u0301": "s", "\u0309": "r", "\u0303": "x", "\u0323": "j"}
VNI_TONES = {"\u0301": "1", "\u0300": "2", "\u0309": "3", "\u0303": "4", "\u0323": "5"}
_TELEX = {"ă": "aw", "â": "aa", "ê": "ee", "ô": "oo", "ơ": "ow", "ư": "uw", "đ": "dd"}
_VNI = {"ă": "a8", "â": "a6", "ê": "e6", "ô": "o6", "ơ": "o7", "ư": "u7", "đ": "d9"}
_OLD_TONES = {"òa": "oà", "óa": "oá", "ỏa": "oả", "õa": "oã", "ọa": "oạ", "òe": "oè", "óe": "oé", "ỏe": "oẻ",
              "õe": "oẽ", "ọe": "oẹ", "ùy": "uỳ", "úy": "uý", "ủy": "uỷ", "ũy": "uỹ", "ụy": "uỵ"}  # fmt: skip
_I_Y = str.maketrans("iíìỉĩịyýỳỷỹỵ", "yýỳỷỹỵiíìỉĩị")
_ONSETS = (("tr", "ch"), ("s", "x"), ("gi", "d"), ("d", "v"), ("l", "n"), ("r", "d"))
_FINALS = (("ng", "n"), ("c", "t"), ("nh", "n"))
_NEAR_KEYS = {"a": "s", "b": "v", "c": "x", "d": "s", "e": "w", "g": "f", "h": "g", "i": "u", "k": "l", "l": "k",
              "m": "n", "n": "m", "o": "p", "p": "o", "q": "w", "r": "e", "s": "a", "t": "r", "u": "i", "v": "c",
              "x": "z", "y": "t"}  # fmt: skip


def without_marks(name: str) -> str:
    """Nguyen Van Hung."""
    plain = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def other_tone_place(name: str) -> str:
    """Hòa <-> Hoà, Thúy <-> Thuý, only where the syllable ends there (so never in "toán", nor after q)."""
    return " ".join(_moved_tone(word) for word in name.split(" "))


def _moved_tone(word: str) -> str:
    for old, new in _OLD_TONES.items():
        if word.endswith(old) and not word[:-2].lower().endswith("q"):
            return word.removesuffix(old) + new
        if word.endswith(new) and not word[:-2].lower().endswith("q"):
            return word.removesuffix(new) + old
    return word


def i_or_y(name: str) -> str:
    """Lý -> Lí, Mỹ -> Mĩ, Thi -> Thy: the last letter of a word, after a consonant."""
    return " ".join(_changed_end(word) for word in name.split(" "))


def _changed_end(word: str) -> str:
    ends = len(word) > 1 and word[-1] in "iíìỉĩịyýỳỷỹỵ" and without_marks(word[-2].lower()) in "bcdghklmnrstv"
    return word[:-1] + word[-1].translate(_I_Y) if ends and word != "Thị" else word


def plain_d(name: str) -> str:
    """Đặng -> Dặng: the stroke alone is lost."""
    return name.replace("đ", "d").replace("Đ", "D")


def decomposed(name: str) -> str:
    """Letters and marks apart (NFD)."""
    return unicodedata.normalize("NFD", name)


def telex_left(name: str) -> str:
    """Nguyễn Văn Hùng -> Nguyeenx Vawn Hungf: the keyboard was not switched on."""
    return _typed(name, _TELEX, TONES)


def vni_left(name: str) -> str:
    """Nguyễn Văn Hùng -> Nguye6n4 Va8n Hung2."""
    return _typed(name, _VNI, VNI_TONES)


def _typed(name: str, letters: dict[str, str], tones: dict[str, str]) -> str:
    return " ".join(_typed_word(word, letters, tones) for word in name.split(" "))


def _typed_word(word: str, letters: dict[str, str], tones: dict[str, str]) -> str:
    tone, typed = "", ""
    for letter in unicodedata.normalize("NFC", word):
        parts = unicodedata.normalize("NFD", letter)
        tone = next((tones[mark] for mark in parts[1:] if mark in tones), tone)
        bare = unicodedata.normalize("NFC", parts[0] + "".join(mark for mark in parts[1:] if mark not in tones))
        keys = letters.get(bare.lower(), bare.lower())
        typed += keys.capitalize() if letter != letter.lower() else keys
    return typed + tone


def no_middle(name: str) -> str:
    """Nguyễn Hùng."""
    words = name.split(" ")
    return f"{words[0]} {words[-1]}" if len(words) > 2 else name


def given_first(name: str) -> str:
    """Hùng Nguyễn Văn, as software that asks for first and last names turns it."""
    words = name.split(" ")
    return " ".join([words[-1], *words[:-1]])


def reversed_order(name: str) -> str:
    """Hùng Văn Nguyễn."""
    return " ".join(reversed(name.split(" ")))


def initials(name: str) -> str:
    """N.V. Hùng."""
    *others, last = name.split(" ")
    return "".join(f"{word[:1]}." for word in others) + f" {last}" if others else name


def middle_initial(name: str) -> str:
    """Nguyễn V. Hùng."""
    words = name.split(" ")
    return " ".join([words[0], *(f"{word[:1]}." for word in words[1:-1]), words[-1]]) if len(words) > 2 else name


def short_family(name: str) -> str:
    """Ng. Văn Hùng, Tr. Thị Lan."""
    first, _, rest = name.partition(" ")
    return f"{first[: 2 if first[:2] in ('Ng', 'Tr', 'Ph', 'Hu') else 1]}. {rest}" if rest else name


def run_together(name: str) -> str:
    """Nguyễn VănHùng."""
    head, _, last = name.rpartition(" ")
    return head + last


def spaces_too_many(name: str) -> str:
    """Two blanks between words, one behind."""
    return name.replace(" ", "  ", 1) + " "


def other_onset(name: str, luck: float) -> str:
    """One word as another region says it: s/x, ch/tr, d/gi/v, l/n, r/d."""
    words = name.split(" ")
    order = sorted(range(len(words)), key=lambda place: (place * 0.37 + luck) % 1)
    for place in order:
        for left, right in _rotated(_ONSETS, luck):
            for old, new in ((left, right), (right, left)):
                changed = _swapped_start(words[place], old, new)
                if changed:
                    return " ".join([*words[:place], changed, *words[place + 1 :]])
    return name


def _swapped_start(word: str, old: str, new: str) -> str:
    rest = word[len(old) :]
    fits = word.lower().startswith(old) and rest[:1] and without_marks(rest[0]) in "aeiouy" and word != "Thị"
    if not fits:
        return ""
    changed = new + rest
    return changed[0].upper() + changed[1:] if word[0].isupper() else changed


def other_final(name: str, luck: float) -> str:
    """The last word with n/ng, t/c or n/nh exchanged."""
    head, _, last = name.rpartition(" ")
    for left, right in _rotated(_FINALS, luck):
        for old, new in ((left, right), (right, left)):
            if last.endswith(old) and len(last) > len(old) + 1:
                return f"{head} {last.removesuffix(old)}{new}".strip()
    return name


def other_tone(name: str, luck: float) -> str:
    """hỏi and ngã exchanged; where the name has neither, one tone is lost."""
    apart = unicodedata.normalize("NFD", name)
    if "\u0309" in apart or "\u0303" in apart:
        swapped = apart.translate({0x309: "\u0303", 0x303: "\u0309"})
        return unicodedata.normalize("NFC", swapped)
    places = [place for place, letter in enumerate(apart) if letter in TONES]
    if not places:
        return name
    place = places[int(luck * len(places))]
    return unicodedata.normalize("NFC", apart[:place] + apart[place + 1 :])


def one_letter_wrong(name: str, luck: float) -> str:
    """A letter left out, doubled, exchanged with its neighbour, or the key beside it."""
    places = [place for place, letter in enumerate(name) if place and letter.isalpha() and name[place - 1].isalpha()]
    if not places:
        return name
    place, how = places[int(luck * len(places))], int(luck * 997) % 4
    before, letter, after = name[:place], name[place], name[place + 1 :]
    if how == 0:
        return before + after
    if how == 1:
        return before + letter + letter + after
    if how == 2:
        pair = letter + before[-1].lower()
        return before[:-1] + (pair.capitalize() if before[-1].isupper() else pair) + after
    return before + _NEAR_KEYS.get(without_marks(letter).lower(), "h") + after


def _rotated(pairs: tuple, luck: float) -> tuple:
    start = int(luck * len(pairs))
    return pairs[start:] + pairs[:start]


PLAIN: dict[str, Callable[[str], str]] = {
    "no_marks": without_marks,
    "tone_place": other_tone_place,
    "i_y": i_or_y,
    "d_stroke": plain_d,
    "nfd": decomposed,
    "telex": telex_left,
    "vni": vni_left,
    "capitals": str.upper,
    "small": str.lower,
    "spaces": spaces_too_many,
    "run_together": run_together,
    "no_middle": no_middle,
    "given_first": given_first,
    "reversed": reversed_order,
    "initials": initials,
    "middle_initial": middle_initial,
    "short_family": short_family,
}
WITH_LUCK: dict[str, Callable[[str, float], str]] = {
    "onset": other_onset,
    "final": other_final,
    "tone": other_tone,
    "typo": one_letter_wrong,
}
