"""Pieces of a text that are a person's own: mail, telephone, order number, address, card.

Made for drafts: ours (listed in the settings) pass, and so does a number that the customer is
invited to call. What the customer wrote is theirs, wherever it stands.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from monitor.answer.checking.plain import plain, sentences

MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
PHONE = re.compile(
    r"(?<![\w.,#£$€+-])(?:\+\d|\(?0|\(\d|\d{3}[-. ]\d{3}[-. ]\d{4}|1[-. ]\d{3}[-. ])"
    r"[\d ()./-]{0,18}(?<=\d)(?![\w-])"
)
LONG = re.compile(r"(?<![\w.,£$€+-])[1-9]\d{8,15}(?![\w-])")
DATE = re.compile(r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{4}-\d\d-\d\d")
CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
LABELLED = re.compile(
    r"\b(?P<of>order|account|booking|customer|member(?:ship)?|policy|invoice|reservation|tracking|"
    r"parcel|consignment|contract|meter|passport|licen[cs]e|claim|loyalty|pnr|patient)"
    r"(?: (?:number|no\.?|nr\.?|id|ref(?:erence)?|code))?(?: is| was|:|,)? ?(?:#|no\. ?)?"
    r"(?P<value>\d{2,}(?: \d{2,})+|(?=[A-Z0-9/-]*\d)[A-Z0-9][A-Z0-9/-]{2,})(?!\w)",
    re.IGNORECASE,
)
OUR_BANK = re.compile(r"\b(?:our|company) (?:bank|account|iban)\b[^.!?]*$", re.I)
ENDING = re.compile(r"\b(?:card|account)(?: \w+)? ending(?: in| with)? (?P<value>\d{3,4})\b", re.I)
BIRTH = re.compile(
    r"\b(?:date of birth|dob|born on)\W{0,3}(?:(?:is|was|as) )?(?P<value>\d[\w /.-]{5,16}\d)", re.I
)
STREET = re.compile(
    r"\b\d{1,4}[a-zA-Z]?,? (?:[A-Z][\w']+ ){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|"
    r"Close|Court|Terrace|Crescent|Gardens|Grove)\b"
)
TO_CUSTOMER = re.compile(r"\byou(?:r|rs)?\b|deliver|\bsent to\b|\bparcel\b|\blive", re.I)
OF_OURS = re.compile(r"\bour\b|\bvisit\b|\bbranch|\bshop\b|\bstore\b|\boffice|\bdepot", re.I)
INVITED = re.compile(
    r"(?<!\bwe )(?<!\bi )(?<!'ll )(?<!\bwill )(?<!'ve )(?<!\bcould )(?<!\bwe can )"
    r"(?<!\bthe )(?<!\byour )(?<!\ba )(?<!\bthat )(?<!\bthis )(?<!\bour )"
    r"\b(?:(?:call|ring|phon|dial|text|e-?mail|contact|reach|messag)(?:e|ing)?|mail|write to|chat|"
    r"(?:report|forward) [\w ]{1,20} to|helpline|hotline|help ?desk|lines? (?:is|are))\b(?! you\b)",
    re.I,
)
YOURS = re.compile(
    r"\byour (?:own )?(?:phone|mobile|number|e-?mail|mail|address|account|contact|tel)|"
    r"\b(?:call|reach|ring|phone|text|contact|e-?mail|message)(?:ed|ing)? you (?:back )?"
    r"(?:on|at|via|under)|"
    r"\byou (?:on|at)\b",
    re.I,
)
ERROR = re.compile(r"\b(?:error|code|version|build|model|part|firmware|article)[\s:#]*$", re.I)
TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9/-]{3,}")


@dataclass(frozen=True)
class Piece:
    """Something personal in a text, and whether it can also be somebody's who is to be called."""

    start: int
    end: int
    value: str
    contact: bool = False
    if_known: bool = False
    """Only a number: personal where the customer wrote it."""


def of_customer(
    flat: str, posts: Sequence[str], own_contacts: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Where a text (without links and handles) names the customer's own data."""
    theirs = frozenset().union(*(_values(post) for post in posts)) if posts else frozenset()
    places = list(sentences(flat))
    for piece in pieces(flat):
        # A customer may have written our number too, to say that nobody answers there.
        if _is_own(piece, own_contacts):
            continue
        passes = piece.if_known or (piece.contact and _is_invited(flat, piece, places))
        if piece.value in theirs or not passes:
            yield piece.start, piece.end
    for hit in STREET.finditer(flat):
        if _bare(hit[0]) in theirs:
            yield hit.span()
    for token in TOKEN.finditer(flat):
        if _bare(token[0]) in theirs:
            yield token.span()


def pieces(flat: str) -> Iterator[Piece]:
    """Everything personal in a text; the same place may be given twice."""
    for hit in MAIL.finditer(flat):
        yield Piece(hit.start(), hit.end(), hit[0].lower().rstrip("."), contact=True)
    for hit in PHONE.finditer(flat):
        digits = _digits(hit[0])
        named = ERROR.search(flat, 0, hit.start())
        if 9 <= len(digits) <= 15 and not DATE.search(hit[0]) and not named:
            yield Piece(hit.start(), hit.end(), digits[-9:], contact=True)
    for hit in LONG.finditer(flat):
        yield Piece(*hit.span(), hit[0][-9:], if_known=True)
    for hit in CARD.finditer(flat):
        if _luhn(_digits(hit[0])) and not OUR_BANK.search(flat, 0, hit.start()):
            yield Piece(hit.start(), hit.end(), _bare(hit[0]))
    for hit in IBAN.finditer(flat):
        if not OUR_BANK.search(flat, 0, hit.start()):
            yield Piece(hit.start(), hit.end(), _bare(hit[0]))
    for hit in LABELLED.finditer(flat):
        value = hit["value"].rstrip("-/")
        if _is_a_number(hit["of"].lower(), value, marked="#" in hit[0]):
            start = hit.start("value")
            yield Piece(start, start + len(value), _bare(value))
    for pattern in (ENDING, BIRTH):
        for hit in pattern.finditer(flat):
            yield Piece(*hit.span("value"), hit["value"])
    for start, end in sentences(flat):
        if TO_CUSTOMER.search(flat, start, end) and not OF_OURS.search(flat, start, end):
            for hit in STREET.finditer(flat, start, end):
                yield Piece(*hit.span(), _bare(hit[0]))


@lru_cache(maxsize=256)
def _values(post: str) -> frozenset[str]:
    flat = plain(post)
    streets = {_bare(hit[0]) for hit in STREET.finditer(flat)}
    return frozenset(piece.value for piece in pieces(flat)) | streets


def _is_a_number(of: str, value: str, *, marked: bool) -> bool:
    """Whether what follows 'order' is its number, and not a year, an amount or a name."""
    value = value.replace(" ", "")
    digits = sum(sign.isdigit() for sign in value)
    if marked:
        return digits >= 2
    if of in ("booking", "reservation", "pnr") and len(value) == 6:
        return value.upper() == value
    return len(value) >= 5 and digits >= 3 and value.upper() == value and not DATE.match(value)


def _is_own(piece: Piece, own_contacts: Sequence[str]) -> bool:
    for own in own_contacts:
        own = own.strip().lower()
        if "@" in piece.value:
            if own and (piece.value == own or piece.value.endswith(("@" + own, "." + own))):
                return True
        elif (digits := _digits(own)) and digits[-9:] == piece.value[-9:]:
            return True
    return False


def _is_invited(flat: str, piece: Piece, places: Sequence[tuple[int, int]]) -> bool:
    """Whether its sentence asks the reader to call or write there."""
    start, end = next(((a, b) for a, b in places if a <= piece.start < b), (piece.start, piece.end))
    # Without the piece itself: "mail" is a word of many addresses.
    around = f"{flat[start : piece.start]} … {flat[piece.end : end]}"
    return bool(INVITED.search(around)) and not YOURS.search(around)


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())


def _bare(text: str) -> str:
    return "".join(sign for sign in text.upper() if sign.isalnum())


def _luhn(digits: str) -> bool:
    total = 0
    for place, sign in enumerate(reversed(digits)):
        value = int(sign) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
