"""The person under the hair: background, shoulders, neck, head and a neutral face."""

from catalogue.drawing.palette import CLOTHES, EYE_WHITE, GOLD, INK, Hair, Skin, Tint

HEADS = {
    "soft": (
        "M256 112C206 112 181 148 181 204C181 246 190 282 213 309C228 327 241 336 256 336"
        "C271 336 284 327 299 309C322 282 331 246 331 204C331 148 306 112 256 112Z"
    ),
    "square": (
        "M256 110C205 110 178 146 178 204C178 244 183 276 199 303C214 328 233 341 256 341"
        "C279 341 298 328 313 303C329 276 334 244 334 204C334 146 307 110 256 110Z"
    ),
}
NECK_HALF_WIDTHS = {"soft": 35, "square": 45}
TORSOS = {
    "soft": (
        "M256 392L194 392C186 398 178 402 168 405C118 421 92 452 84 520"
        "L428 520C420 452 394 421 344 405C334 402 326 398 318 392Z"
    ),
    "square": (
        "M256 390L184 390C176 396 168 400 158 403C100 420 68 454 58 520"
        "L454 520C444 454 412 420 354 403C344 400 336 396 328 390Z"
    ),
}
NECKLINE_DEPTHS = {"crew": 440, "scoop": 478}
BEARD = (
    "M168 222C178 244 184 268 199 284C212 294 224 284 237 277C247 272 265 272 275 277C288 284 300 294 313 284"
    "C328 268 334 244 344 222L347 270L322 350L190 350L165 270Z"
)


def background(tint: Tint) -> str:
    return (
        f'<rect width="512" height="512" fill="{tint.ground}"/><circle cx="256" cy="250" r="214" fill="{tint.disc}"/>'
    )


def clips(face: str) -> str:
    """The clip paths that shadows refer to."""
    return (
        f'<clipPath id="head"><path d="{HEADS[face]}"/></clipPath>'
        f'<clipPath id="neck"><path d="{_throat(face, "crew")}"/></clipPath>'
    )


def body(face: str, skin: Skin, clothes: str) -> str:
    """Torso and neck. ``clothes`` is ``neckline colour``."""
    neckline, colour = clothes.split()
    base, shade = CLOTHES[colour]
    left, right = _collar(face)
    parts = [
        f'<path d="{TORSOS[face]}" fill="{base}"/>',
        f'<path d="M146 520C145 488 141 470 132 452M366 520C367 488 371 470 380 452" {_line(shade, 4)}/>',
        f'<path d="{_throat(face, neckline)}" fill="{skin.base}"/>',
        f'<path d="{HEADS[face]}" transform="translate(0 28)" fill="{skin.shade}" clip-path="url(#neck)"/>',
    ]
    if neckline in {*NECKLINE_DEPTHS, "vee"}:
        parts.append(f'<path d="M{left} 392{_opening(face, neckline)}" {_line(shade, 7)}/>')
    elif neckline == "roll":
        upper = f"C236 372 276 372 {right - 16} 356"
        folds = f"M{left + 18} 358C236 373 276 373 {right - 18} 358M{left + 12} 386C236 403 276 403 {right - 12} 386"
        parts.append(
            f'<path d="M{left + 16} 356{upper}L{right + 2} 412C290 432 222 432 {left - 2} 412Z" fill="{base}"/>'
            f'<path d="{folds}" {_line(shade, 4)}/>'
        )
    else:
        parts.extend(
            f'<path d="M{left + 16} 366L256 440L226 482L{left - 12} 398Z" fill="{base}" stroke="{shade}" '
            f'stroke-width="4" stroke-linejoin="round"{mirrored}/>'
            for mirrored in ("", ' transform="matrix(-1 0 0 1 512 0)"')
        )
        parts.append(f'<path d="M256 444L256 520" {_line(shade, 4)}/>')
    return "".join(parts)


def head(face: str, skin: Skin, earrings: str) -> str:
    """Ears, head, its shaded side and the jewellery."""
    edge = 182 if face == "soft" else 179
    parts = []
    for centre, side in ((edge, -1), (512 - edge, 1)):
        parts.append(
            f'<ellipse cx="{centre + side * 5}" cy="238" rx="14" ry="24" fill="{skin.base}"/>'
            f'<path d="M{centre + side * 11} 224C{centre + side} 222 {centre + side} 236 {centre + side * 6} 250" '
            f"{_line(skin.shade, 3.5)}/>"
        )
    parts.append(
        f'<path d="{HEADS[face]}" fill="{skin.base}"/>'
        f'<path d="M340 100L340 345L250 345C300 330 318 270 318 210C318 160 318 130 300 100Z" '
        f'fill="{skin.shade}" opacity="0.38" clip-path="url(#head)"/>'
    )
    for centre, side in ((edge - 6, -1), (518 - edge, 1)):
        if earrings == "hoops":
            parts.append(
                f'<circle cx="{centre + side}" cy="276" r="14" fill="none" stroke="{GOLD}" stroke-width="4.5"/>'
            )
        elif earrings == "studs":
            parts.append(f'<circle cx="{centre + side * 2}" cy="257" r="5" fill="{GOLD}"/>')
    return "".join(parts)


def features(face: str, skin: Skin, brows: Hair, beard: str) -> str:
    """Brows, eyes, nose and mouth. ``beard`` is empty, ``stubble`` or ``full``."""
    soft = face == "soft"
    parts = []
    if beard:
        strength = {"stubble": 0.22, "full": 1.0}[beard]
        parts.append(
            f'<g clip-path="url(#head)" opacity="{strength}"><path d="{BEARD}" fill="{brows.base}"/></g>'
            f'<path d="M235 290C246 285 266 285 277 290C271 304 265 306 256 306C247 306 241 304 235 290Z" '
            f'fill="{skin.base}"/>'
        )
    rouge = 0.26 if soft else 0.12
    parts.extend(
        f'<ellipse cx="{x}" cy="266" rx="15" ry="10" fill="{skin.blush}" opacity="{rouge}"/>' for x in (211, 301)
    )
    for x, side in ((223, -1), (289, 1)):
        parts.append(_eye(x, side, soft=soft))
        arch = f"M{x - side * 15} 213C{x - side * 4} {205 if soft else 207} {x + side * 8} 203 {x + side * 19} 212"
        parts.append(f'<path d="{arch}" {_line(brows.shade, 5 if soft else 7.5)}/>')
    parts.append(f'<path d="M258 240C260 252 266 260 265 266C263 272 252 272 247 268" {_line(skin.shade, 4)}/>')
    if soft:
        parts.append(
            f'<path d="M234 292C243 287 250 285 256 288C262 285 269 287 278 292C270 304 264 307 256 307'
            f'C248 307 242 304 234 292Z" fill="{skin.lip}"/>'
            f'<path d="M237 292.5C247 295.5 265 295.5 275 292.5" {_line(INK, 2)} opacity="0.45"/>'
        )
    else:
        parts.append(
            f'<path d="M236 293C246 289 266 289 276 293C270 302 264 304 256 304C248 304 242 302 236 293Z" '
            f'fill="{skin.lip}" opacity="0.75"/>'
            f'<path d="M234 293C246 296.5 266 296.5 278 293" {_line(INK, 2.4)} opacity="0.55"/>'
        )
    return "".join(parts)


def _eye(x: int, side: int, *, soft: bool) -> str:
    inner, outer = x - side * 14, x + side * 15
    lid = f"M{inner} 234C{x - side * 6} 224 {x + side * 7} 223 {outer} 231"
    lash = f"M{outer} 231L{outer + side * 5} 227" if soft else ""
    return (
        f'<path d="{lid}C{x + side * 8} 241 {x - side * 6} 241 {inner} 234Z" fill="{EYE_WHITE}"/>'
        f'<ellipse cx="{x}" cy="232" rx="6.6" ry="7.4" fill="{INK}"/>'
        f'<circle cx="{x + 2.2}" cy="229.4" r="1.9" fill="{EYE_WHITE}"/>'
        f'<path d="{lid}{lash}" {_line(INK, 4 if soft else 3)}/>'
    )


def _collar(face: str) -> tuple[int, int]:
    """Where the neckline meets the shoulders, left and right."""
    reach = NECK_HALF_WIDTHS[face] + 30
    return 256 - reach, 256 + reach


def _opening(face: str, neckline: str) -> str:
    """The lower edge of the neckline, from its left end to its right one."""
    left, right = _collar(face)
    if neckline == "roll":
        return f"L{right} 392"
    if neckline not in NECKLINE_DEPTHS:
        return f"L256 {470 if neckline == 'vee' else 440}L{right} 392"
    depth = NECKLINE_DEPTHS[neckline]
    descent = f"C{left + 4} {depth - 14} {left + 34} {depth} 256 {depth}"
    return f"{descent}C{right - 34} {depth} {right - 4} {depth - 14} {right} 392"


def _throat(face: str, neckline: str) -> str:
    """Neck and the skin down to the neckline."""
    left, right = _collar(face)
    return (
        f"M{left + 30} 280L{left + 30} 352C{left + 30} 374 {left + 20} 384 {left} 392{_opening(face, neckline)}"
        f"C{right - 20} 384 {right - 30} 374 {right - 30} 352L{right - 30} 280Z"
    )


def _line(colour: str, width: float) -> str:
    return f'fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round"'
