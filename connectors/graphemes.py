"""Counts characters as people see them, which is how Mastodon and Bluesky count a reply."""

import unicodedata

ZERO_WIDTH_JOINER = "\N{ZERO WIDTH JOINER}"

# Not marks by their category, and yet they change what stands before them.
EXTENDERS = frozenset(
    "\N{ZERO WIDTH NON-JOINER}"
    + ZERO_WIDTH_JOINER
    + "\N{HALFWIDTH KATAKANA VOICED SOUND MARK}\N{HALFWIDTH KATAKANA SEMI-VOICED SOUND MARK}"
    + "".join(map(chr, range(0x1F3FB, 0x1F400)))  # skin tones
    + "".join(map(chr, range(0xE0020, 0xE0080)))  # tags: the flag of Wales
)


def graphemes(text: str) -> int:
    """How many characters a reader would count: extended grapheme clusters of Unicode, nearly.

    A letter with its accents, a family emoji, a flag and a Korean syllable in parts are one each.
    In rare scripts the rule is coarser than Unicode's (Indic conjuncts count as their letters,
    prepended signs as themselves). There it counts more, so nothing comes out too long.
    """
    count = 0
    before = ""
    flag_open = picture = False
    for char in text:
        second_half = flag_open and _is_flag_half(char)
        joined = picture and before == ZERO_WIDTH_JOINER and _is_picture(char)
        if not (before and (second_half or joined or _continues(before, char))):
            count += 1
            picture = _is_picture(char)
        flag_open = _is_flag_half(char) and not second_half
        before = char
    return count


def _continues(before: str, char: str) -> bool:
    """Whether `char` is part of the same cluster as `before`, flags and pictures apart."""
    if char.isascii():
        return before == "\r" and char == "\n"
    if char in EXTENDERS or unicodedata.category(char) in ("Mn", "Me", "Mc"):
        return unicodedata.category(before) not in ("Cc", "Zl", "Zp")
    return _hangul(before) in _MAY_PRECEDE.get(_hangul(char), ())


def _is_picture(char: str) -> bool:
    # Python's tables are older than the newest emoji: those are told by their range.
    known = unicodedata.category(char) == "So" or 0x1F000 <= ord(char) <= 0x1FAFF
    return known and not _is_flag_half(char)


def _is_flag_half(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


_MAY_PRECEDE = {
    "leading": ("leading",),
    "syllable": ("leading",),
    "open syllable": ("leading",),
    "vowel": ("leading", "vowel", "open syllable"),
    "trailing": ("vowel", "trailing", "syllable", "open syllable"),
}


def _hangul(char: str) -> str:
    """The part of a Korean syllable that `char` is, or nothing."""
    code = ord(char)
    if 0x1100 <= code <= 0x115F or 0xA960 <= code <= 0xA97C:
        return "leading"
    if 0x1160 <= code <= 0x11A7 or 0xD7B0 <= code <= 0xD7C6:
        return "vowel"
    if 0x11A8 <= code <= 0x11FF or 0xD7CB <= code <= 0xD7FB:
        return "trailing"
    if 0xAC00 <= code <= 0xD7A3:
        return "syllable" if (code - 0xAC00) % 28 else "open syllable"
    return ""
