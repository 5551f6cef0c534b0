"""The choices of the avatar maker for each part of a person, and their colors."""

from dataclasses import dataclass
from enum import StrEnum


class Skin(StrEnum):
    """Skin tones, light to dark."""

    PORCELAIN = "porcelain"
    SAND = "sand"
    HONEY = "honey"
    BRONZE = "bronze"
    COCOA = "cocoa"
    EBONY = "ebony"


class Hair(StrEnum):
    """Hair styles, drawn in :data:`~emojify.packs.drawing.hair.HAIR_SHAPES`."""

    NONE = "none"
    BUZZ = "buzz"
    SHORT = "short"
    CURLY = "curly"
    AFRO = "afro"
    BOB = "bob"
    LONG = "long"
    PONYTAIL = "ponytail"
    BUN = "bun"
    PIGTAILS = "pigtails"


class HairColor(StrEnum):
    """Colors of hair, brows and beard."""

    BLACK = "black"
    BROWN = "brown"
    AUBURN = "auburn"
    BLONDE = "blonde"
    SILVER = "silver"
    PINK = "pink"
    TEAL = "teal"


class Hat(StrEnum):
    """Hats and other headwear."""

    NONE = "none"
    CAP = "cap"
    BEANIE = "beanie"
    HIJAB = "hijab"
    CROWN = "crown"


class Glasses(StrEnum):
    """Glasses."""

    NONE = "none"
    ROUND = "round"
    SQUARE = "square"
    SUN = "sunglasses"


class Beard(StrEnum):
    """Beards."""

    NONE = "none"
    STUBBLE = "stubble"
    MOUSTACHE = "moustache"
    GOATEE = "goatee"
    FULL = "full"


class Earrings(StrEnum):
    """Earrings."""

    NONE = "none"
    STUDS = "studs"
    HOOPS = "hoops"


class Clothes(StrEnum):
    """Colors of shirts and hats."""

    CORAL = "coral"
    SUN = "sun"
    MINT = "mint"
    SKY = "sky"
    LILAC = "lilac"
    SLATE = "slate"


class Background(StrEnum):
    """Colors of the disc behind the person; NONE leaves the background transparent."""

    NONE = "none"
    PEACH = "peach"
    LEMON = "lemon"
    AQUA = "aqua"
    LAVENDER = "lavender"


@dataclass(frozen=True)
class Person:
    """The appearance of a person. The defaults are the person of the built-in pack."""

    skin: Skin = Skin.HONEY
    hair: Hair = Hair.SHORT
    hair_color: HairColor = HairColor.BROWN
    hat: Hat = Hat.NONE
    hat_color: Clothes = Clothes.CORAL
    glasses: Glasses = Glasses.NONE
    beard: Beard = Beard.NONE
    earrings: Earrings = Earrings.NONE
    clothes: Clothes = Clothes.MINT
    background: Background = Background.NONE


PARTS: dict[str, type[StrEnum]] = {
    "skin": Skin,
    "hair": Hair,
    "hair_color": HairColor,
    "hat": Hat,
    "hat_color": Clothes,
    "glasses": Glasses,
    "beard": Beard,
    "earrings": Earrings,
    "clothes": Clothes,
    "background": Background,
}
"""The choices for each part of a person. The keys are the fields of :class:`Person`."""


@dataclass(frozen=True)
class Shades:
    """The colors of one material: highlight, base, shadow and outline, each ``#rrggbb``."""

    light: str
    base: str
    shadow: str
    line: str


SKINS: dict[Skin, Shades] = {
    Skin.PORCELAIN: Shades("#ffece0", "#fbd7c3", "#eeb39b", "#a8604c"),
    Skin.SAND: Shades("#ffe0c2", "#f6c59d", "#e39f72", "#99573a"),
    Skin.HONEY: Shades("#fbd0a0", "#ecb07a", "#d28a55", "#86492a"),
    Skin.BRONZE: Shades("#e3aa78", "#cb8752", "#a96537", "#65361c"),
    Skin.COCOA: Shades("#b97b52", "#9a5c37", "#784224", "#43210f"),
    Skin.EBONY: Shades("#8f5b40", "#6f412b", "#52301f", "#2b150b"),
}

HAIR_COLORS: dict[HairColor, Shades] = {
    HairColor.BLACK: Shades("#555069", "#2f2b3a", "#1d1a26", "#15131b"),
    HairColor.BROWN: Shades("#96613c", "#673d24", "#482815", "#33190b"),
    HairColor.AUBURN: Shades("#d97a46", "#ad4d26", "#833416", "#57200c"),
    HairColor.BLONDE: Shades("#ffe08a", "#edb94f", "#cb8f2f", "#8a5c18"),
    HairColor.SILVER: Shades("#f1f3f6", "#c6ccd5", "#9aa3b0", "#636c7a"),
    HairColor.PINK: Shades("#ffb3cf", "#f5769f", "#cf4a7c", "#8f2850"),
    HairColor.TEAL: Shades("#6fdccb", "#2ba99b", "#1a7d77", "#0e524f"),
}

CLOTHES: dict[Clothes, Shades] = {
    Clothes.CORAL: Shades("#ff9a85", "#f2694f", "#cb4833", "#8a2c1d"),
    Clothes.SUN: Shades("#ffdf7a", "#f9bd35", "#dc9618", "#8f5d0a"),
    Clothes.MINT: Shades("#7fe0c0", "#3cbf9b", "#249478", "#14594a"),
    Clothes.SKY: Shades("#8ccaff", "#4a9df0", "#2f77c8", "#1c4a80"),
    Clothes.LILAC: Shades("#cdb4ff", "#9d7cf0", "#7656c9", "#473081"),
    Clothes.SLATE: Shades("#7d8ca6", "#55637d", "#3d485e", "#232b3b"),
}

BACKGROUNDS: dict[Background, str] = {
    Background.PEACH: "#ffd9c7",
    Background.LEMON: "#fff0b3",
    Background.AQUA: "#c5efec",
    Background.LAVENDER: "#e2dafc",
}
