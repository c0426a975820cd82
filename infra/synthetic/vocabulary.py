"""The shop's fixed vocabulary: index groups, colours, patterns and kinds of article, with H&M-like codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class IndexGroup:
    """One part of the shop, for which a customer shops at a time."""

    number: int
    name: str
    share: float  # of the catalogue's products


GROUPS: Final = (
    IndexGroup(1, "Ladieswear", 0.38),
    IndexGroup(2, "Divided", 0.22),
    IndexGroup(3, "Menswear", 0.16),
    IndexGroup(4, "Baby/Children", 0.18),
    IndexGroup(26, "Sport", 0.06),
)


@dataclass(frozen=True)
class Colour:
    """A colour group with its perceived value and master colour; ``rgb`` is what pictures use."""

    code: int
    name: str
    value_id: int
    value: str
    master_id: int
    master: str
    rgb: tuple[int, int, int]
    weight: float


COLOURS: Final = (
    Colour(9, "Black", 4, "Dark", 5, "Black", (38, 37, 40), 21.0),
    Colour(73, "Dark Blue", 4, "Dark", 2, "Blue", (38, 51, 88), 10.0),
    Colour(10, "White", 3, "Light", 9, "White", (246, 246, 243), 9.5),
    Colour(51, "Light Pink", 1, "Dusty Light", 4, "Pink", (240, 203, 205), 5.5),
    Colour(7, "Grey", 1, "Dusty Light", 12, "Grey", (160, 161, 163), 4.0),
    Colour(12, "Light Beige", 1, "Dusty Light", 11, "Beige", (230, 214, 190), 4.0),
    Colour(72, "Blue", 2, "Medium Dusty", 2, "Blue", (76, 112, 168), 4.0),
    Colour(42, "Red", 7, "Medium", 18, "Red", (196, 44, 48), 3.5),
    Colour(71, "Light Blue", 1, "Dusty Light", 2, "Blue", (176, 205, 230), 3.5),
    Colour(19, "Greenish Khaki", 4, "Dark", 20, "Khaki green", (92, 96, 66), 3.0),
    Colour(11, "Off White", 1, "Dusty Light", 9, "White", (240, 234, 220), 3.0),
    Colour(13, "Beige", 2, "Medium Dusty", 11, "Beige", (202, 175, 140), 2.8),
    Colour(43, "Dark Red", 4, "Dark", 18, "Red", (116, 30, 44), 2.4),
    Colour(93, "Dark Green", 4, "Dark", 19, "Green", (34, 78, 60), 2.4),
    Colour(52, "Pink", 2, "Medium Dusty", 4, "Pink", (222, 122, 146), 2.4),
    Colour(22, "Yellow", 7, "Medium", 8, "Yellow", (236, 196, 66), 1.8),
    Colour(31, "Light Orange", 1, "Dusty Light", 3, "Orange", (244, 190, 150), 1.6),
    Colour(17, "Yellowish Brown", 2, "Medium Dusty", 13, "Brown", (150, 104, 64), 2.0),
    Colour(5, "Gold", 5, "Bright", 15, "Metal", (206, 168, 84), 1.2),
    Colour(3, "Silver", 3, "Light", 15, "Metal", (196, 200, 206), 0.8),
    Colour(81, "Light Turquoise", 3, "Light", 7, "Turquoise", (160, 220, 214), 1.2),
    Colour(83, "Dark Turquoise", 4, "Dark", 7, "Turquoise", (28, 104, 112), 0.8),
    Colour(32, "Orange", 5, "Bright", 3, "Orange", (234, 118, 48), 1.0),
    Colour(61, "Light Purple", 3, "Light", 6, "Lilac Purple", (204, 184, 226), 1.2),
    Colour(63, "Dark Purple", 4, "Dark", 6, "Lilac Purple", (82, 48, 102), 0.7),
    Colour(92, "Green", 1, "Dusty Light", 19, "Green", (112, 160, 110), 1.2),
)

MASTERS: Final = tuple(dict.fromkeys(colour.master for colour in COLOURS))


@dataclass(frozen=True)
class Pattern:
    """A graphical appearance; ``texture`` names the way pictures draw it."""

    number: int
    name: str
    texture: str
    weight: float


PATTERNS: Final = (
    Pattern(1010016, "Solid", "solid", 0.52),
    Pattern(1010001, "All over pattern", "floral", 0.15),
    Pattern(1010010, "Melange", "melange", 0.06),
    Pattern(1010017, "Stripe", "stripe", 0.08),
    Pattern(1010023, "Denim", "denim", 0.0),  # given to denim kinds only
    Pattern(1010004, "Check", "check", 0.04),
    Pattern(1010006, "Dot", "dots", 0.03),
    Pattern(1010005, "Colour blocking", "blocks", 0.03),
    Pattern(1010014, "Placement print", "print", 0.05),
    Pattern(1010021, "Lace", "lace", 0.03),
    Pattern(1010009, "Glittering/Metallic", "glitter", 0.01),
)
DENIM: Final = next(i for i, pattern in enumerate(PATTERNS) if pattern.texture == "denim")

# What is worn together is decided between these categories.
CATEGORIES: Final = (
    "upper", "lower", "full", "outer", "shoes", "accessory", "underwear", "legwear", "swim", "night",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One product type.

    ``price`` is a typical price in the currency's units, ``warmth`` how much summer (positive) or winter (negative)
    sells it, ``basic`` how readily the same article is bought again (0 to 1), ``shares`` its share of the products in
    each of ``GROUPS``.
    """

    product_type_no: int
    name: str
    product_group: str
    garment_group_no: int
    garment_group: str
    category: str
    silhouette: str
    price: float
    warmth: float
    basic: float
    shares: tuple[float, float, float, float, float]
    nouns: tuple[str, ...]
    denim: float = 0.0
    plain: float = 0.0  # extra weight of solid


UPPER, LOWER, FULL = "Garment Upper body", "Garment Lower body", "Garment Full body"

KINDS: Final = (
    Kind(253, "Vest top", UPPER, 1002, "Jersey Basic", "upper", "vest", 9.99, 1.0, 0.75, (5, 6, 2, 4, 6),
         ("strappy top", "vest top", "tank"), plain=1.0),
    Kind(255, "T-shirt", UPPER, 1002, "Jersey Basic", "upper", "tshirt", 12.99, 0.5, 0.7, (6, 7, 14, 12, 10),
         ("T-shirt", "tee"), plain=0.5),
    Kind(254, "Top", UPPER, 1005, "Jersey Fancy", "upper", "top", 17.99, 0.3, 0.35, (7, 9, 2, 8, 12),
         ("top", "jersey top")),
    Kind(258, "Blouse", UPPER, 1010, "Blouses", "upper", "blouse", 29.99, 0.2, 0.15, (8, 5, 0, 3, 0),
         ("blouse", "tunic")),
    Kind(259, "Shirt", UPPER, 1011, "Shirts", "upper", "shirt", 24.99, 0.0, 0.3, (4, 3, 12, 4, 0),
         ("shirt", "overshirt")),
    Kind(252, "Sweater", UPPER, 1003, "Knitwear", "upper", "sweater", 34.99, -1.2, 0.25, (9, 7, 11, 8, 5),
         ("jumper", "knit", "sweater")),
    Kind(245, "Cardigan", UPPER, 1003, "Knitwear", "upper", "cardigan", 34.99, -0.9, 0.2, (4, 2, 2, 3, 0),
         ("cardigan", "knit jacket")),
    Kind(308, "Hoodie", UPPER, 1005, "Jersey Fancy", "upper", "hoodie", 29.99, -0.8, 0.3, (2, 5, 7, 7, 11),
         ("hoodie", "zip hoodie"), plain=0.8),
    Kind(264, "Blazer", UPPER, 1008, "Dressed", "outer", "blazer", 59.99, -0.2, 0.05, (4, 2, 5, 1, 0),
         ("blazer", "tailored jacket"), plain=0.8),
    Kind(262, "Jacket", UPPER, 1007, "Outdoor", "outer", "jacket", 59.99, -1.0, 0.05, (4, 4, 7, 7, 8),
         ("jacket", "bomber", "padded jacket"), denim=0.15, plain=1.0),
    Kind(263, "Coat", UPPER, 1007, "Outdoor", "outer", "coat", 89.99, -2.0, 0.02, (3, 2, 3, 2, 0),
         ("coat", "wool coat", "trench"), plain=0.8),
    Kind(272, "Trousers", LOWER, 1009, "Trousers", "lower", "trousers", 34.99, -0.2, 0.4, (9, 8, 12, 11, 6),
         ("trousers", "chinos", "slacks"), plain=1.0),
    Kind(272, "Trousers", LOWER, 1016, "Trousers Denim", "lower", "jeans", 39.99, -0.2, 0.45, (4, 7, 7, 5, 0),
         ("jeans", "denims"), denim=1.0),
    Kind(273, "Leggings/Tights", LOWER, 1002, "Jersey Basic", "lower", "leggings", 14.99, -0.3, 0.7, (2, 3, 0, 6, 14),
         ("leggings", "treggings"), plain=1.0),
    Kind(274, "Shorts", LOWER, 1025, "Shorts", "lower", "shorts", 19.99, 1.6, 0.25, (4, 5, 6, 6, 10),
         ("shorts", "paper-bag shorts"), denim=0.25),
    Kind(275, "Skirt", LOWER, 1012, "Skirts", "lower", "skirt", 24.99, 0.6, 0.1, (5, 5, 0, 3, 0),
         ("skirt", "wrap skirt"), denim=0.12),
    Kind(265, "Dress", FULL, 1013, "Dresses Ladies", "full", "dress", 34.99, 1.1, 0.05, (13, 10, 0, 7, 0),
         ("dress", "sundress", "shirt dress", "wrap dress")),
    Kind(267, "Jumpsuit/Playsuit", FULL, 1005, "Jersey Fancy", "full", "jumpsuit", 39.99, 0.7, 0.05, (3, 3, 0, 4, 0),
         ("jumpsuit", "playsuit")),
    Kind(306, "Bra", "Underwear", 1017, "Under-, Nightwear", "underwear", "bra", 17.99, 0.0, 0.55, (5, 2, 0, 0, 8),
         ("bra", "soft-cup bra", "bralette"), plain=0.8),
    Kind(286, "Underwear bottom", "Underwear", 1017, "Under-, Nightwear", "underwear", "briefs", 9.99, 0.0, 0.85,
         (5, 2, 8, 4, 0), ("briefs", "3-pack briefs", "hipsters"), plain=0.8),
    Kind(302, "Socks", "Socks & Tights", 1021, "Socks and Tights", "legwear", "socks", 7.99, -0.3, 0.9, (3, 3, 6, 5, 5),
         ("socks", "5-pack socks")),
    Kind(304, "Underwear Tights", "Socks & Tights", 1021, "Socks and Tights", "legwear", "tights", 9.99, -1.5, 0.9,
         (3, 1, 0, 3, 0), ("tights", "20 denier tights"), plain=2.0),
    Kind(298, "Bikini top", "Swimwear", 1018, "Swimwear", "swim", "bikini_top", 14.99, 2.4, 0.1, (3, 3, 0, 1, 0),
         ("bikini top", "triangle bikini top")),
    Kind(59, "Swimwear bottom", "Swimwear", 1018, "Swimwear", "swim", "bikini_bottom", 12.99, 2.4, 0.15,
         (3, 3, 2, 1, 0), ("bikini bottoms", "swim bottoms")),
    Kind(57, "Swimsuit", "Swimwear", 1018, "Swimwear", "swim", "swimsuit", 29.99, 2.2, 0.05, (2, 1, 0, 2, 3),
         ("swimsuit", "halterneck swimsuit")),
    Kind(297, "Pyjama set", "Nightwear", 1017, "Under-, Nightwear", "night", "pyjama", 24.99, -0.5, 0.3,
         (3, 1, 1, 6, 0), ("pyjamas", "pyjama set")),
    Kind(94, "Sneakers", "Shoes", 1020, "Shoes", "shoes", "sneakers", 29.99, 0.1, 0.2, (2, 2, 3, 4, 4),
         ("trainers", "sneakers")),
    Kind(87, "Boots", "Shoes", 1020, "Shoes", "shoes", "boots", 49.99, -1.6, 0.05, (2, 2, 1, 2, 0),
         ("boots", "ankle boots"), plain=2.0),
    Kind(91, "Sandals", "Shoes", 1020, "Shoes", "shoes", "sandals", 24.99, 2.0, 0.05, (2, 2, 1, 2, 0),
         ("sandals", "slides"), plain=2.0),
    Kind(66, "Bag", "Accessories", 1019, "Accessories", "accessory", "bag", 24.99, 0.2, 0.05, (4, 3, 1, 1, 3),
         ("bag", "shoulder bag", "tote"), plain=1.5),
    Kind(75, "Hat/beanie", "Accessories", 1019, "Accessories", "accessory", "beanie", 9.99, -2.0, 0.15, (2, 2, 2, 4, 3),
         ("beanie", "rib-knit hat"), plain=1.0),
    Kind(69, "Cap/peaked", "Accessories", 1019, "Accessories", "accessory", "cap", 12.99, 0.8, 0.1, (1, 1, 3, 3, 4),
         ("cap", "peaked cap"), plain=1.0),
    Kind(80, "Scarf", "Accessories", 1019, "Accessories", "accessory", "scarf", 14.99, -1.6, 0.1, (3, 1, 2, 1, 0),
         ("scarf", "tube scarf")),
    Kind(67, "Belt", "Accessories", 1019, "Accessories", "accessory", "belt", 12.99, 0.0, 0.15, (2, 1, 2, 0, 0),
         ("belt", "waist belt"), plain=3.0),
    Kind(81, "Sunglasses", "Accessories", 1019, "Accessories", "accessory", "sunglasses", 9.99, 1.8, 0.1,
         (2, 2, 1, 1, 0), ("sunglasses", "cat-eye sunglasses"), plain=3.0),
    Kind(70, "Earring", "Accessories", 1019, "Accessories", "accessory", "earring", 7.99, 0.1, 0.15, (3, 3, 0, 0, 0),
         ("earrings", "hoops"), plain=3.0),
)  # fmt: skip

# (index code, index name) of each index group, by category where it differs.
INDICES: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "Ladieswear": {
        "": ("A", "Ladieswear"),
        **dict.fromkeys(("underwear", "legwear", "swim", "night"), ("B", "Lingeries/Tights")),
        **dict.fromkeys(("shoes", "accessory"), ("C", "Ladies Accessories")),
    },
    "Divided": {"": ("D", "Divided")},
    "Menswear": {"": ("F", "Menswear")},
    "Baby/Children": {
        "": ("H", "Children Sizes 92-140"),
        **dict.fromkeys(("shoes", "accessory", "swim"), ("J", "Children Accessories, Swimwear")),
    },
    "Sport": {"": ("S", "Sport")},
}

# Sections by index group: one per style cluster, so that a section hints at style without giving it away.
SECTIONS: Final[dict[str, tuple[tuple[int, str], ...]]] = {
    "Ladieswear": (
        (15, "Womens Everyday Collection"), (11, "Womens Tailoring"), (6, "Womens Casual"), (18, "Womens Trend"),
        (14, "Womens Premium"), (16, "Womens Everyday Basics"),
    ),
    "Divided": (
        (53, "Divided Collection"), (50, "Divided Projects"), (58, "Divided Selected"), (57, "Ladies Denim"),
        (51, "Divided Basics"), (52, "Divided Accessories"),
    ),
    "Menswear": (
        (21, "Contemporary Casual"), (20, "Contemporary Smart"), (55, "Contemporary Street"),
        (23, "Men Suits & Tailoring"), (56, "Denim Men"), (28, "Men Edition"),
    ),
    "Baby/Children": (
        (76, "Kids Girl"), (46, "Kids Boy"), (40, "Baby Girl"), (41, "Baby Boy"), (77, "Young Girl"), (47, "Young Boy"),
    ),
    "Sport": 2 * ((5, "Ladies H&M Sport"), (22, "Men H&M Sport"), (49, "Kids Sports")),
}  # fmt: skip
