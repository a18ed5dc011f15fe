"""Text typed in a legacy Vietnamese font (TCVN3/ABC, VNI-Windows) to Unicode, only when it plainly is one.

A file made with `.VnTime` or `VNI-Times` holds Latin letters that only the font draws as Vietnamese:
"Céng hoµ x· héi" (TCVN3) and "Coäng hoøa xaõ hoäi" (VNI) are both "Cộng hoà xã hội". A text is plainly legacy when
its marked words are Vietnamese syllables once decoded and are not as they stand. Text that reads as Vietnamese
already, and text of other languages, is left alone.

Tables: TCVN 5712:1993 VN1/VN3 (checked against glibc's TCVN5712-1 converter); VNI-Windows as its fonts have it.
Fonts of capital letters (`.VnTimeH`) store small letters; the case of such text cannot be known and stays small.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

ENCODINGS = ("tcvn3", "vni")

_TCVN3_BYTES = {
    0xA1: "ĂÂÊÔƠƯĐăâêôơưđ",
    0xB5: "àảãáạ",
    0xBB: "ằẳẵắ",
    0xC6: "ặầẩẫấậè",
    0xCE: "ẻẽéẹềểễếệìỉ",
    0xDC: "ĩíịò",
    0xE1: "ỏõóọồổỗốộờởỡớợù",
    0xF1: "ủũúụừửữứựỳỷỹýỵ",
}
# Capitals with tone marks stand outside the printable range; only converters, not fonts, write them.
_TCVN3_CAPITALS = {
    0x01: "ÚỤ",
    0x04: "ỪỬỮ",
    0x11: "ỨỰỲỶỸÝỴ",
    0x80: "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ",
    0xAF: "Ằ",
    0xBA: "Ẳ",
    0xBF: "ẴẮẦẨẪẤỀ",
    0xCD: "Ể",
    0xD9: "ỄẾỒ",
    0xE0: "Ổ",
    0xF0: "Ỗ",
    0xFF: "Ố",
}


def _byte_table(blocks: dict[int, str]) -> dict[str, str]:
    return {chr(start + i): letter for start, letters in blocks.items() for i, letter in enumerate(letters)}


TCVN3 = _byte_table(_TCVN3_BYTES) | _byte_table(_TCVN3_CAPITALS)


def _vni_table() -> dict[str, str]:
    """VNI-Windows: a plain letter, then a letter that stands for its marks; i, ơ, ư, đ, ỵ are letters of their own."""
    tones = dict(zip("ùøûõï", "\u0301\u0300\u0309\u0303\u0323", strict=True))
    circumflex = {"â": "", **dict(zip("áàåãä", tones.values(), strict=True))}
    breve = {"ê": "", **dict(zip("éèúüë", tones.values(), strict=True))}
    written: dict[str, str] = {}
    for base, stem in (("a", "a"), ("e", "e"), ("o", "o"), ("u", "u"), ("y", "y"), ("ô", "ơ"), ("ö", "ư")):
        written |= {base + mark: stem + tone for mark, tone in tones.items() if (base, mark) != ("y", "ï")}
    for base in "aeo":
        written |= {base + mark: base + "\u0302" + tone for mark, tone in circumflex.items()}
    written |= {"a" + mark: "a\u0306" + tone for mark, tone in breve.items()}
    written |= {"í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "ô": "ơ", "ö": "ư", "ñ": "đ", "î": "ỵ"}
    composed = {mark: unicodedata.normalize("NFC", letter) for mark, letter in written.items()}
    capitals = {mark.upper(): letter.upper() for mark, letter in composed.items()}
    mixed = {mark[0].upper() + mark[1:]: letter.upper() for mark, letter in composed.items()}
    return composed | mixed | capitals


VNI = _vni_table()
_VNI_PAIR = re.compile("|".join(sorted(map(re.escape, VNI), key=len, reverse=True)))

# Windows shows bytes 0x80–0x9F as these characters; a TCVN3 capital may arrive as one of them.
_WINDOWS_TO_BYTE = {}
for _byte in range(0x80, 0xA0):
    try:
        _WINDOWS_TO_BYTE[ord(bytes([_byte]).decode("cp1252"))] = chr(_byte)
    except UnicodeDecodeError:
        continue
# TCVN3 capitals below 0x20 never survive in a workbook (XML forbids them); they are decoded all the same.


def decode(text: str, encoding: str) -> str:
    """`text` of a legacy font as Unicode (NFC). Characters that the encoding does not use stay."""
    if encoding == "tcvn3":
        return text.translate(_WINDOWS_TO_BYTE).translate({ord(a): b for a, b in TCVN3.items()})
    if encoding == "vni":
        return _VNI_PAIR.sub(lambda found: VNI[found[0]], text)
    raise ValueError(f"encoding is {encoding!r}, expected one of {ENCODINGS}")


def encode(text: str, encoding: str) -> str:
    """Unicode text as a legacy font stores it: the inverse of `decode`, for tests and practice data."""
    table = TCVN3 if encoding == "tcvn3" else {**VNI}
    inverse: dict[str, str] = {}
    for mark, letter in table.items():
        if letter not in inverse or mark == mark.upper() or mark == mark.lower():
            inverse[letter] = mark
    return "".join(inverse.get(letter, letter) for letter in unicodedata.normalize("NFC", text))


# ------------------------------------------------------------------------------------------------ Vietnamese syllables

_RHYME_LIST = """
ynh yt ych a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây e ec em en eng
eo ep et ê êch êm ên ênh êp êt êu i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu y yêm yên
yêng yêt yêu o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oe oen oeo oet
oc oi om on ong op ot ooc oong ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt u ua uân uâng uât uây uc uê
uêch uênh ui um un ung uơ uôc uôi uôm uôn uông uôt up ut uy uya uych uyên uyêt uynh uyt uyp uyu ư ưa
ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu ak ăk âk ok ôk ơk uk ưk êk ăl ôl ăr
"""
_RHYMES = set(_RHYME_LIST.split())
_ONSET_LIST = "b c ch d đ g gh gi h k kh kr l m n ng ngh nh p ph qu r s t th tr v x"
_ONSETS = sorted(_ONSET_LIST.split(), key=len, reverse=True)
_FRONT = ("e", "ê", "i", "y")
_TONE = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_STOPPED = re.compile("(?:c|ch|p|t|k)$")


@lru_cache(maxsize=200_000)
def is_vietnamese_syllable(word: str) -> bool:
    """Could `word` be one written Vietnamese syllable (onset, rhyme and tone agree)?"""
    parts = unicodedata.normalize("NFD", word.lower())
    tones = _TONE.findall(parts)
    toneless = unicodedata.normalize("NFC", _TONE.sub("", parts))
    if len(tones) > 1:
        return False
    at = len(unicodedata.normalize("NFC", parts[: _TONE.search(parts).start()])) - 1 if tones else -1  # type: ignore[union-attr]
    for onset in ("", *_ONSETS):
        rhyme = toneless[len(onset) :]
        if toneless.startswith(onset) and rhyme in _RHYMES and _onset_fits(onset, rhyme):
            stopped = _STOPPED.search(rhyme) and tones and tones[0] not in "\u0301\u0323"
            if not stopped and (not tones or at - len(onset) in _tone_places(rhyme)):
                return True
    return toneless in ("gi", "quôc", "giêng", "giêt") or (toneless.startswith("gi") and toneless[1:] in _RHYMES)


def _tone_places(rhyme: str) -> tuple[int, ...]:
    """Which letters of a rhyme may bear the tone mark; both of "oa", "oe", "uy" (old and new style)."""
    if rhyme in ("ia", "ua", "ưa"):
        return (0,)
    if rhyme in ("oa", "oe", "uy"):
        return (0, 1)
    vowels = rhyme.rstrip("bcdghklmnprst")
    if len(vowels) > 1 and vowels == rhyme and vowels[-1] in "iyou":
        return (len(vowels) - 2,)
    if vowels == "uya":
        return (1,)
    return (len(vowels) - 1,)


def _onset_fits(onset: str, rhyme: str) -> bool:
    front = rhyme.startswith(_FRONT)
    if onset in ("k", "gh", "ngh"):
        return front
    if onset in ("c", "g", "ng"):
        return not front or (onset == "g" and rhyme.startswith("i"))
    return True


# ------------------------------------------------------------------------------------------------------------ judging

_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
# Words of a legacy text hold signs that are no letters in Unicode ("µ", "¸", "®"): cut at blanks and ASCII signs only.
_LEGACY_WORD = re.compile(r"[^\s\x00-\x40\x5b-\x60\x7b-\x7f]+")
_UNICODE_ONLY = re.compile("[\u0102\u0103\u0110\u0111\u0128\u0129\u0168\u0169\u01a0\u01a1\u01af\u01b0\u1ea0-\u1ef9]")
_MARKED = re.compile("[^\x00-\x7f]")


@dataclass(frozen=True)
class Reading:
    """How one text reads.

    state : "plain" (no marks), "unicode" (good as it is), "legacy" (plainly), "either" (both readings make
    sense), "other" (neither)
    """

    state: str
    encoding: str = ""
    decoded: str = ""


@lru_cache(maxsize=200_000)
def read_text(text: str) -> Reading:
    """Judge one text by itself."""
    if text.isascii():
        return Reading("plain")
    if _UNICODE_ONLY.search(text):
        return Reading("unicode")
    as_it_is = all(is_vietnamese_syllable(word) for word in _marked_words(text, _WORD)) and _only_letters(text)
    for encoding in ENCODINGS:
        decoded = decode(text, encoding)
        words = [decode(word, encoding) for word in _marked_words(text, _LEGACY_WORD)]
        if decoded != text and all(is_vietnamese_syllable(word) for word in words):
            return Reading("either" if as_it_is else "legacy", encoding, decoded)
    return Reading("unicode" if as_it_is else "other")


def _marked_words(text: str, pattern: re.Pattern[str]) -> list[str]:
    return [word for word in pattern.findall(text) if _MARKED.search(word)]


def _telling_words(text: str, encoding: str) -> set[str]:
    """The different words that make sense only once decoded."""
    words = set(_marked_words(text, _LEGACY_WORD))
    return {word for word in words if decode(word, encoding) != word and not is_vietnamese_syllable(word)}


def _only_letters(text: str) -> bool:
    """No sign that a Vietnamese text does not use ("µ", "¸", "®")."""
    return not re.search("[\u0080-\u00bf\u00d7\u00f7]", text)


@dataclass(frozen=True)
class LegacyFont:
    """What the texts of one sheet or column are written in.

    encoding : "tcvn3", "vni" or "" (Unicode); confidence : share of the judged texts that are plainly in it
    """

    encoding: str
    confidence: float


def detect_legacy_font(texts: Iterable[str], *, minimum_words: int = 2, minimum_share: float = 0.8) -> LegacyFont:
    """The legacy font of texts that belong together (one sheet), judged on the distinct ones.

    At least `minimum_words` different words must make sense only in that font, and `minimum_share` of all texts that
    can be judged must agree.
    """
    readings = [(text, read_text(text)) for text in set(texts) if not text.isascii()]
    for encoding in ENCODINGS:
        legacy = [text for text, reading in readings if reading.state == "legacy" and reading.encoding == encoding]
        against = sum(reading.state == "unicode" for _, reading in readings)
        words = len({word for text in legacy for word in _telling_words(text, encoding)})
        share = len(legacy) / (len(legacy) + against) if legacy else 0.0
        if words >= minimum_words and share >= minimum_share:
            return LegacyFont(encoding, share)
    return LegacyFont("", 1.0)


def to_unicode(text: str, font: LegacyFont) -> str:
    """`text` decoded where it plainly is legacy by itself (two words or more), or by the `font` of its sheet.

    Within a sheet that is known to be legacy, a text that reads both ways, or that holds a name of another
    language beside decodable words, is decoded too; a text with letters that only Unicode has never is.
    """
    if text.isascii() or _UNICODE_ONLY.search(text):
        return text
    reading = read_text(text)
    if reading.state == "legacy" and len(_telling_words(text, reading.encoding)) >= 2:
        return reading.decoded if not font.encoding else decode(text, font.encoding)
    if not font.encoding:
        return text
    if reading.state in ("legacy", "either"):
        return decode(text, font.encoding)
    return _decoded_if_sensible(text, font)


def _decoded_if_sensible(text: str, font: LegacyFont) -> str:
    decoded = decode(text, font.encoding)
    words = _marked_words(decoded, _LEGACY_WORD)
    sensible = sum(is_vietnamese_syllable(word) for word in words)
    return decoded if words and sensible * 2 >= len(words) else text
