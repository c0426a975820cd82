"""The silhouette of every product type, by the name that ``vocabulary.KINDS`` gives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from infra.synthetic.pictures import accessories, lower_body, underwear, upper_body
from infra.synthetic.pictures.cut import Cut
from infra.synthetic.pictures.drawing import Drawing

Silhouette = Callable[[Cut], Drawing]

_NAMES: Final = {
    upper_body: (
        "vest",
        "tshirt",
        "top",
        "blouse",
        "shirt",
        "sweater",
        "cardigan",
        "hoodie",
        "blazer",
        "jacket",
        "coat",
    ),
    lower_body: ("trousers", "jeans", "leggings", "shorts", "skirt", "dress", "jumpsuit", "pyjama"),
    underwear: ("bra", "briefs", "socks", "tights", "bikini_top", "bikini_bottom", "swimsuit"),
    accessories: ("sneakers", "boots", "sandals", "bag", "beanie", "cap", "scarf", "belt", "sunglasses", "earring"),
}
SILHOUETTES: Final[dict[str, Silhouette]] = {
    name: getattr(module, name) for module, names in _NAMES.items() for name in names
}
# Small things are shown nearer.
NEARNESS: Final[dict[str, float]] = {
    name: {underwear: 1.2, accessories: 1.25}.get(module, 1.0) for module, names in _NAMES.items() for name in names
}
