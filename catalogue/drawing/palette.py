"""The colours of the set. A thumbnail names them; nothing else in the drawing knows a colour."""

from typing import NamedTuple


class Skin(NamedTuple):
    base: str
    shade: str
    lip: str
    blush: str


class Hair(NamedTuple):
    base: str
    shade: str
    light: str


class Tint(NamedTuple):
    """A background and the disc behind the head."""

    ground: str
    disc: str


SKINS = {
    "porcelain": Skin("#f8dccb", "#e9bfa9", "#cf7f76", "#f0a596"),
    "fair": Skin("#f3cdb1", "#dfac8b", "#c3706a", "#e8977f"),
    "beige": Skin("#e8b994", "#cf9870", "#b4645a", "#d98a6b"),
    "olive": Skin("#d9a67b", "#bd8559", "#a3584c", "#c97a58"),
    "tan": Skin("#c48a5e", "#a66e45", "#934c40", "#b3653f"),
    "brown": Skin("#9a6442", "#7e4d30", "#7a3b35", "#8a4a33"),
    "deep": Skin("#70452f", "#583321", "#5f2f2b", "#643325"),
}

HAIRS = {
    "black": Hair("#2b2730", "#1a171e", "#4b4654"),
    "espresso": Hair("#3d2a26", "#291b19", "#5f453d"),
    "brown": Hair("#5b3a29", "#43291d", "#7d553c"),
    "chestnut": Hair("#7a472d", "#5c3320", "#9f6544"),
    "honey": Hair("#a06a38", "#7e4f27", "#c9935a"),
    "auburn": Hair("#8a3d27", "#6a2b1b", "#b15c3e"),
    "copper": Hair("#c8642b", "#a04a1c", "#e68d52"),
    "red": Hair("#c9402a", "#9f2c1c", "#ea6f50"),
    "sand": Hair("#c79c63", "#a57c47", "#e2c08d"),
    "golden": Hair("#dcae58", "#bb8b3a", "#f3d08a"),
    "platinum": Hair("#efe1c0", "#cbb587", "#fdf7e6"),
    "ice": Hair("#e9e7e4", "#cdcac8", "#faf9f7"),
    "pink": Hair("#eda3b4", "#d27f95", "#f9c8d2"),
}

TINTS = {
    "sage": Tint("#c9d8c5", "#dbe6d6"),
    "mint": Tint("#bfdcd4", "#d4e9e3"),
    "sky": Tint("#c2d7e8", "#d7e5f1"),
    "lilac": Tint("#d3cbe6", "#e3ddf0"),
    "blush": Tint("#f1cfcb", "#f7e0dc"),
    "peach": Tint("#f5d3b8", "#f9e3d1"),
    "butter": Tint("#f3e0ae", "#f8ebc8"),
    "sand": Tint("#e3d5c3", "#eee4d7"),
    "clay": Tint("#dfa98f", "#e9c0ab"),
    "teal": Tint("#8fbcb8", "#a9cdc9"),
    "denim": Tint("#9db3d1", "#b5c6de"),
    "plum": Tint("#b79cbd", "#c9b4cd"),
}

CLOTHES = {
    "ink": ("#2f3a4f", "#253044"),
    "forest": ("#3f6154", "#335146"),
    "rust": ("#b85c3c", "#9c4b2f"),
    "mustard": ("#d9a441", "#bf8c2f"),
    "cream": ("#f4ece0", "#dfd3c1"),
    "wine": ("#7d3446", "#672938"),
    "slate": ("#6b7a8c", "#596778"),
    "rose": ("#d98a93", "#c2737d"),
    "violet": ("#6a5a94", "#57497d"),
    "charcoal": ("#3b3b42", "#2d2d33"),
    "white": ("#fbfaf7", "#e4e1da"),
    "sea": ("#3d8184", "#316d70"),
}

FLOWERS = ("#d8433f", "#f0a03c", "#f07f97", "#f6d35b")
LEAF = "#4f7d52"
GOLD = "#e0b04a"
INK = "#33272a"
EYE_WHITE = "#fdf9f4"
