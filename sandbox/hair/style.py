"""From the words of a prompt to what is drawn."""

import re
import zlib
from dataclasses import dataclass
from typing import Literal, TypeVar

Word = TypeVar("Word", bound=str)
View = Literal["front", "right", "left", "back"]
Kind = Literal[
    "loose", "crop", "buzz", "flat_top", "mohawk", "quiff", "slick", "undercut", "mullet", "afro", "ponytail", "bun",
    "space_buns", "top_knot", "half_up", "braid", "crown_braid", "box_braids", "cornrows", "locs",
]  # fmt: skip
Texture = Literal["straight", "bent", "wavy", "finger_waves", "curly", "coily"]
Fringe = Literal["none", "blunt", "micro", "wispy", "side", "curtain", "curly"]

# Patterns are tried in order, on the style's name first and then on what is said about it.
KINDS: tuple[tuple[str, Kind], ...] = (
    (r"space buns|two .{0,40}\bbuns", "space_buns"),
    (r"top knot|man bun", "top_knot"),
    (r"half[- ]up|bouffant", "half_up"),
    (r"pony ?tail", "ponytail"),
    (r"braided crown|crown braid|crown.{0,20}braid|diadem|^frida", "crown_braid"),
    (r"box braids", "box_braids"),
    (r"cornrow", "cornrows"),
    (r"\blocs\b|dreadlocks", "locs"),
    (r"\bplaits?\b|french braid|dutch braid|\bbraids?\b", "braid"),
    (r"\bafro\b", "afro"),
    (r"flat top", "flat_top"),
    (r"mohawk|mohican", "mohawk"),
    (r"buzz|shaved head|induction cut", "buzz"),
    (r"mullet", "mullet"),
    (r"pompadour|quiff", "quiff"),
    (r"slick(ed)?[- ]back", "slick"),
    (r"undercut", "undercut"),
    (r"\bbob\b|\blob\b|waves|wolf|shag", "loose"),
    (r"pixie|\bcrop\b|crew cut|caesar|\bfade\b|ivy league|short back and sides", "crop"),
    (r"chignon|\bbun\b|updo|\bknot\b", "bun"),
)
TEXTURES: tuple[tuple[str, Texture], ...] = (
    (r"finger waves", "finger_waves"),
    (r"\bcoil(s|y)\b|twist-out|\bafro\b|coily|kinky", "coily"),
    (r"poker-straight|\bstraight\b|\bsleek|lacquered|\bblunt\b", "straight"),
    (r"\bcurls\b|\bcurly\b|ringlet", "curly"),
    (r"\bwav(es|y|ed)\b|s-waves", "wavy"),
    (r"\bbend\b|layer|shag|tousled|feather|slight wave|blown", "bent"),
)
FRINGES: tuple[tuple[str, Fringe], ...] = (
    (r"no (parting and no )?(fringe|bangs)|no layers and no fringe", "none"),
    (r"curtain (bangs|fringe)|parted,? .{0,20}fringe", "curtain"),
    (r"(curly|tumbling) (fringe|bangs)|fringe that tumbles", "curly"),
    (r"very short fringe|micro|baby bangs|short feathered fringe|fringe .{0,30}high on the forehead", "micro"),
    (r"(straight|blunt|dense|full)[^.;]{0,20} (fringe|bangs)", "blunt"),
    (r"swept (across|over)|side-swept|sweep across|combed flat across|wave swept", "side"),
    (r"\bfringe\b|\bbangs\b", "wispy"),
)
# How far down hair may reach; of all that are said the lowest counts.
LENGTHS: tuple[tuple[str, float], ...] = (
    (r"ear[- ]length|to the ears", 0.42),
    (r"cheek[- ]?(bones?|height|length)", 0.6),
    (r"\bjaw\b|\bchin\b", 0.95),
    (r"collarbone|long bob|\blob\b", 1.5),
    (r"just above the shoulders", 1.2),
    (r"shoulder", 1.38),
    (r"past the shoulders", 1.65),
    (r"\bchest\b|\blong hair\b|long,? (thick )?layer|shoulder blades", 2.15),
    (r"waist|very long|middle of the back", 2.6),
)
COLOURS: tuple[tuple[str, tuple[int, int, int]], ...] = (  # BGR
    (r"platinum|icy", (196, 222, 236)),
    (r"honey", (72, 118, 168)),
    (r"golden blonde", (96, 164, 212)),
    (r"strawberry", (98, 142, 208)),
    (r"ash blonde", (142, 168, 184)),
    (r"dirty blonde|dark blonde", (88, 126, 156)),
    (r"blond", (112, 172, 214)),
    (r"copper red|blazing", (24, 66, 190)),
    (r"copper|ginger", (38, 88, 184)),
    (r"auburn|mahogany", (34, 48, 112)),
    (r"burgundy|wine", (48, 24, 88)),
    (r"rose|pink", (178, 158, 226)),
    (r"\bred\b", (36, 42, 160)),
    (r"chestnut", (36, 58, 98)),
    (r"caramel|light brown", (62, 100, 148)),
    (r"jet black|blue-black|raven", (30, 25, 24)),
    (r"\bblack\b", (36, 31, 30)),
    (r"dark brown|espresso|chocolate", (32, 42, 60)),
    (r"brown|brunette", (40, 62, 92)),
    (r"silver", (196, 192, 188)),
    (r"gr[ae]y", (150, 148, 146)),
    (r"white", (228, 230, 232)),
    (r"turquoise|teal", (150, 140, 40)),
    (r"\bblue\b", (168, 92, 46)),
    (r"purple|violet|lilac|lavender", (168, 84, 132)),
    (r"\bgreen\b", (74, 128, 48)),
)
TIPS = re.compile(r"(lighter ends|balayage|ombr|streaks|lighter [a-z]+ highlights)")
DYED = re.compile(r"(?:colou?red|dyed|bleached(?: to)?|tinted)\b([^.;]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hairstyle:
    name: str
    kind: Kind
    texture: Texture
    fringe: Fringe
    reach: float
    """How far down loose hair goes, in the head's frame: 0.95 is the jaw, 1.4 the shoulder, 2.2 the chest."""
    parting: float
    """Where the parting is, in the head's frame: 0 in the middle, positive on the right of the picture."""
    volume: float
    shine: float
    layered: bool
    ends: Literal["plain", "in", "out"]
    colour: tuple[int, int, int] | None
    """BGR; None keeps the person's own."""
    light_tips: bool
    sides: Literal["full", "tapered", "shaved"]
    low: bool
    flowers: bool
    text: str

    @property
    def seed(self) -> int:
        """The same in all views, so that they show the same hair."""
        return zlib.crc32(self.name.encode())


def read_style(prompt: str) -> Hairstyle:
    named = re.search(r'[Hh]airstyle:\s*"([^"]+)"', prompt) or re.search(r'"([^"]{2,60})"', prompt)
    name = named[1].strip() if named else "Hairstyle"
    text = f"{name}. {what_is_said(prompt)}".lower()
    kind = chosen(KINDS, name.lower(), text) or "loose"
    reaches = [reach for pattern, reach in LENGTHS if re.search(pattern, text)]
    texture = chosen(TEXTURES, name.lower(), text) or "straight"
    return Hairstyle(
        name=name,
        kind=kind,
        texture=texture,
        fringe=chosen(FRINGES, name.lower(), text) or "none",
        reach=max(reaches, default=0.95 if "bob" in text else 1.4),
        parting=parting_of(text),
        volume=volume_of(text, texture),
        shine=shine_of(text),
        layered=bool(re.search(r"layer|shag|thinned|choppy|wisp|feather", text)),
        ends=ends_of(text),
        colour=colour_of(name.lower(), text),
        light_tips=bool(TIPS.search(text)),
        sides=sides_of(text),
        low=bool(re.search(r"\blow\b|at the nape", text)) and "high" not in text,
        flowers="flower" in text,
        text=text,
    )


def read_view(prompt: str) -> View:
    """The view is named on a line of its own; failing that, by its first word in the text; else it is the front."""
    found = re.search(r"view:\s*(front|right|left|back)", prompt, re.IGNORECASE) or re.search(
        r"\b(right|left|back)\b[- ](?:side )?(?:view|profile)|from (?:the )?(right|left|behind|back)",
        prompt,
        re.IGNORECASE,
    )
    word = next((group.lower() for group in found.groups() if group), "front") if found else "front"
    views: dict[str, View] = {"right": "right", "left": "left", "back": "back", "behind": "back"}
    return views.get(word, "front")


def what_is_said(prompt: str) -> str:
    """The sentences about the hair itself: what follows "the new hair:" or its like, else the whole prompt."""
    about = re.search(
        r"(?:the new hair:|as in the photo:|look:)(.*?)(?:\n\s*\n|from the side:|from behind:|\Z)",
        prompt,
        re.IGNORECASE | re.DOTALL,
    )
    said = about[1] if about else re.sub(r'hairstyle:\s*"[^"]*"|view:[^\n]*', "", prompt, flags=re.IGNORECASE)
    return re.sub(r"\s+", " ", said).strip()


def chosen(table: tuple[tuple[str, Word], ...], *texts: str) -> Word | None:
    return next((word for text in texts for pattern, word in table if re.search(pattern, text)), None)


def parting_of(text: str) -> float:
    if re.search(r"off-cent", text):
        return 0.1
    if re.search(r"side parting|parted (on|at) (one|the) side|side-part|low side|deep side", text):
        return 0.3
    return 0.0


def volume_of(text: str, texture: Texture) -> float:
    if re.search(r"volum|bouffant|teased|\bbig\b|high (volume|and round)|\bfull\b", text):
        return 0.26
    if re.search(r"\bflat\b|close to the head|\bsleek|lacquered|smooth cap", text):
        return 0.09
    return 0.3 if texture in {"curly", "coily"} else 0.15


def shine_of(text: str) -> float:
    if re.search(r"gloss|shine|lacquer|wet|glassy|pomade|mirror", text):
        return 0.9
    return 0.25 if re.search(r"\bmatt|salt", text) else 0.5


def ends_of(text: str) -> Literal["plain", "in", "out"]:
    if re.search(r"flick|flip|outwards|flare|turned out|wings", text):
        return "out"
    return (
        "in"
        if re.search(r"tuck in|turned-in|inwards|rolled under|curved? (in|forward)|curled under", text)
        else "plain"
    )


def sides_of(text: str) -> Literal["full", "tapered", "shaved"]:
    if re.search(r"shaved|undercut|clipped|bare skin|faded? to the skin|skin fade", text):
        return "shaved"
    return "tapered" if re.search(r"taper|fade|short sides|short neat sides", text) else "full"


def colour_of(name: str, text: str) -> tuple[int, int, int] | None:
    """The colour that a hairstyle is dyed, if it is."""
    if re.search(r"own (natural )?hair colou?r is kept", text):
        return None
    dyed = DYED.search(text)
    for said in (dyed[1] if dyed else "", name, " ".join(re.findall(r"([\w -]{3,24}) hair\b", text))):
        for pattern, colour in COLOURS:
            if re.search(pattern, said):
                return colour
    return None
