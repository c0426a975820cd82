"""Names and descriptions of products: what the codes say, in words, and now and then a word that betrays the style."""

from __future__ import annotations

import numpy as np

from infra.synthetic.catalogue import Catalogue
from infra.synthetic.seeds import generator
from infra.synthetic.styles import DIRECTIONS, Direction
from infra.synthetic.vocabulary import KINDS, PATTERNS

_SYLLABLES = (
    ("Al", "Be", "Cla", "Da", "El", "Fre", "Gi", "Ha", "In", "Jo", "Ka", "Li", "Mi", "No", "Ol", "Pe", "Ro", "Sa", "Ti",
     "Vi", "Wil", "Yl"),
    ("la", "ri", "no", "ve", "da", "li", "ma", "sse", "ti", "ra", "na", "vi"),
    ("", "", "n", "a", "e", "s", "nna", "tte", "x", "ra"),
)  # fmt: skip
_FABRICS = {
    "Jersey Basic": "soft jersey",
    "Jersey Fancy": "jersey",
    "Blouses": "a crêpe weave",
    "Shirts": "a cotton weave",
    "Knitwear": "a soft knit",
    "Dressed": "a stretch weave",
    "Outdoor": "woven fabric",
    "Trousers": "a cotton blend",
    "Trousers Denim": "washed stretch denim",
    "Shorts": "woven fabric",
    "Skirts": "woven fabric",
    "Dresses Ladies": "an airy weave",
    "Under-, Nightwear": "a fine-knit cotton blend",
    "Socks and Tights": "a fine knit",
    "Swimwear": "fast-drying fabric",
    "Shoes": "imitation leather",
    "Accessories": "a mixed fabric",
}
_PATTERN_WORDS = {
    "floral": "patterned",
    "melange": "marled",
    "stripe": "striped",
    "check": "checked",
    "dots": "spotted",
    "print": "printed",
    "lace": "lace",
    "glitter": "glittering",
}
_GARMENTS = frozenset({"upper", "lower", "full", "outer"})
_CLEAR = 0.8  # a coordinate beyond this may be named
_NAMED_SHARE = 0.6
_NO_DESCRIPTION_SHARE = 0.004
_FIT, _LENGTH, _FABRIC = 2, 3, 5  # directions with a place of their own in the sentence


def product_names(catalogue: Catalogue, seed: int) -> list[str]:
    """A made-up name for every product, followed by what it is."""
    rng = generator(seed, "names")
    nouns = _nouns(catalogue, seed)
    return ["".join(rng.choice(part) for part in _SYLLABLES) + f" {noun}" for noun in nouns]


def describe(catalogue: Catalogue, seed: int) -> list[str]:
    """A description for every product, "" for a few."""
    rng = generator(seed, "descriptions")
    descriptions = []
    for first, noun in zip(_first_articles(catalogue), _nouns(catalogue, seed), strict=True):
        kind, pattern = KINDS[catalogue.kinds[first]], PATTERNS[catalogue.patterns[first]]
        garment = kind.category in _GARMENTS
        words = [
            _word(rng, direction, value, garment) if abs(value) > _CLEAR and rng.random() < _NAMED_SHARE else ""
            for direction, value in zip(DIRECTIONS, catalogue.styles[first], strict=True)
        ]
        placed = {_FIT: words[_FIT], _LENGTH: words[_LENGTH], _FABRIC: words[_FABRIC]} if garment else {}
        what = " ".join(part for part in (placed.get(_LENGTH), _PATTERN_WORDS.get(pattern.texture), noun) if part)
        sentence = f"{what[0].upper()}{what[1:]} in {placed.get(_FABRIC) or _FABRICS[kind.garment_group]}"
        details = [word for i, word in enumerate(words) if word and i not in placed]
        if details:
            sentence += " with " + " and ".join(details)
        fit = f" {placed[_FIT]}" if placed.get(_FIT) else ""
        descriptions.append("" if rng.random() < _NO_DESCRIPTION_SHARE else f"{sentence}.{fit}")
    return descriptions


def _word(rng: np.random.Generator, direction: Direction, value: float, garment: bool) -> str:
    """A word for one end of a direction; shoes and the like have a look rather than seams and lengths."""
    if not garment:
        return f"a {direction.high if value > 0 else direction.low} look"
    return str(rng.choice(direction.high_words if value > 0 else direction.low_words))


def _nouns(catalogue: Catalogue, seed: int) -> list[str]:
    """What each product is called, in name and description alike."""
    rng = generator(seed, "nouns")
    return [str(rng.choice(KINDS[catalogue.kinds[first]].nouns)) for first in _first_articles(catalogue)]


def _first_articles(catalogue: Catalogue) -> np.ndarray:
    """One article of every product, in order of the products."""
    return np.unique(catalogue.products, return_index=True)[1]
