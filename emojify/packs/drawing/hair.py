"""Hair styles: the hair behind the head, the hair on the head, and its highlights.

All coordinates fit a head that fills x 134 to 378 and y 84 to 388 of a square of 512.
"""

from dataclasses import dataclass
from math import cos, radians, sin

from emojify.packs.drawing.appearance import HAIR_COLORS, Hair, HairColor, Hat
from emojify.packs.drawing.shapes import line, path


@dataclass(frozen=True)
class HairShape:
    """The SVG path data of a hair style.

    Attributes:
        back: the hair behind the head.
        outer: the outer edge of the hair on the head, up its left side and down its right side.
        hairline: the way back along the forehead, which closes the shape begun by ``outer``.
        shine: areas filled with the light color.
        strands: lines in the dark color.
    """

    back: str = ""
    outer: str = ""
    hairline: str = ""
    shine: str = ""
    strands: str = ""


def _scalloped_edge(cx: float, cy: float, radius: float, start: float, end: float, count: int) -> str:
    """Return the scalloped edge of curls around (cx, cy); angles in degrees, clockwise from the right."""
    angles = [radians(start + (end - start) * step / count) for step in range(count + 1)]
    points = [(cx + radius * cos(angle), cy + radius * sin(angle)) for angle in angles]
    bump = radius * abs(angles[1] - angles[0]) * 0.56
    arcs = "".join(f"A{bump:.1f} {bump:.1f} 0 0 1 {x:.1f} {y:.1f}" for x, y in points[1:])
    return f"M{points[0][0]:.1f} {points[0][1]:.1f}{arcs}"


_COMBED_BACK = HairShape(
    outer="M138 246C126 230 121 210 121 190C124 112 172 60 256 60C340 60 388 112 391 190C391 210 386 230 374 246",
    hairline=(
        "L362 238C364 212 362 196 354 180C336 146 298 128 256 126C214 128 176 146 158 180C150 196 148 212 150 238Z"
    ),
    shine="M150 156C162 122 190 98 228 92C202 108 178 132 168 158Z",
    strands=(
        "M196 138C206 114 222 96 240 84M316 138C306 114 290 96 272 84M168 164C176 132 190 110 208 96"
        "M344 164C336 132 322 110 304 96M256 126L256 92"
    ),
)

HAIR_SHAPES: dict[Hair, HairShape] = {
    Hair.NONE: HairShape(),
    Hair.BUZZ: HairShape(
        outer="M134 222C120 136 172 74 256 74C340 74 392 136 378 222",
        hairline=(
            "C374 206 370 190 360 176C350 158 344 142 330 138C304 130 280 132 256 132C232 132 208 130 182 138"
            "C168 142 162 158 152 176C142 190 138 206 134 222Z"
        ),
        shine="M166 128C178 106 200 94 226 92C206 102 190 116 182 132C176 130 170 130 166 128Z",
    ),
    Hair.SHORT: HairShape(
        outer=(
            "M133 224C125 212 120 196 121 176C104 162 108 128 130 118C128 88 158 64 190 70C202 42 246 30 276 46"
            "C308 28 350 44 356 76C386 86 402 118 392 150C396 182 388 210 380 224"
        ),
        hairline=(
            "C375 232 366 230 366 220C366 204 365 186 362 164C346 162 334 148 335 130C320 144 296 138 286 114"
            "C272 140 230 146 206 126C200 146 178 160 152 160C148 182 147 204 147 220C147 230 138 232 133 224Z"
        ),
        shine=(
            "M206 78C222 56 252 54 268 64C248 66 232 74 222 90C215 90 209 86 206 78Z"
            "M302 66C320 56 338 66 342 86C330 76 316 74 304 78Z"
            "M144 128C148 110 164 96 182 96C168 106 160 118 158 132Z"
        ),
        strands="M286 116C284 104 276 96 264 90M335 132C338 118 332 106 322 98M206 128C206 118 214 108 226 102",
    ),
    Hair.CURLY: HairShape(
        outer=(
            "M142 246C118 248 102 230 110 210C90 200 86 172 104 158C92 136 108 112 130 110C128 84 156 66 180 76"
            "C190 48 226 38 248 56C266 38 300 42 312 64C334 52 366 66 370 92C394 94 412 120 404 144"
            "C424 156 424 188 404 202C412 226 394 250 370 246"
        ),
        hairline=(
            "C374 226 372 206 366 184C350 186 338 172 342 156C328 164 310 156 308 142C296 158 272 156 264 140"
            "C252 158 228 156 220 140C212 158 192 162 180 154C180 174 162 188 146 182C140 204 138 226 142 246Z"
        ),
        shine=(
            "M140 136C140 120 156 108 174 112C162 120 152 130 150 144ZM206 84C214 70 234 68 246 78"
            "C232 80 220 86 214 98ZM288 76C304 66 322 76 326 94C314 84 302 84 292 88Z"
        ),
        strands=(
            "M180 154C172 146 172 134 180 128M220 140C210 132 210 120 218 114M264 140C256 132 256 120 266 114"
            "M308 142C302 132 306 122 316 118M342 156C338 146 344 136 354 134"
        ),
    ),
    Hair.AFRO: HairShape(
        outer=_scalloped_edge(256, 188, 146, 148, 392, 11),
        hairline=(
            "C372 252 372 224 364 196C356 198 342 186 342 170C330 174 312 166 308 152C296 164 274 162 264 150"
            "C254 162 232 164 222 152C214 166 192 172 176 166C174 184 160 194 148 196C140 224 140 252 132 265Z"
        ),
        shine=(
            "M132 152C134 130 152 114 172 116C158 124 146 138 146 156Z"
            "M196 88C206 72 230 68 244 78C228 80 214 88 208 102ZM294 76C314 68 334 78 340 98C326 88 312 86 298 90Z"
        ),
        strands=(
            "M176 166C166 156 168 142 178 136M222 152C212 142 214 128 224 122M264 150C256 140 258 126 268 122"
            "M308 152C300 142 304 128 314 124M342 170C336 158 342 146 354 144M128 206C120 198 120 184 130 178"
            "M384 206C392 198 392 184 382 178M160 110C154 102 158 92 168 90M352 110C358 102 354 92 344 90"
        ),
    ),
    Hair.BOB: HairShape(
        back=(
            "M256 56C160 56 108 120 106 216C104 280 96 330 106 362C112 384 152 388 186 378L326 378"
            "C360 388 400 384 406 362C416 330 408 280 406 216C404 120 352 56 256 56Z"
        ),
        outer=(
            "M156 352C126 384 92 366 98 322C104 282 103 240 105 204C109 104 168 42 256 42"
            "C344 42 403 104 407 204C409 240 408 282 414 322C420 366 386 384 356 352"
        ),
        hairline=(
            "C374 330 376 296 370 262C368 240 368 222 362 204C352 186 332 178 306 180C302 170 300 160 302 150"
            "C290 166 272 178 246 180C246 168 250 156 256 148C236 168 206 182 176 184C164 188 154 194 150 204"
            "C144 222 144 240 142 262C136 296 138 330 156 352Z"
        ),
        shine=(
            "M140 158C150 112 184 80 228 70C200 92 176 122 168 160C158 162 148 162 140 158Z"
            "M302 74C338 86 362 116 370 154C350 120 328 94 302 74Z"
        ),
        strands=(
            "M302 150C305 130 300 112 290 98M256 148C263 128 262 108 254 92M206 178C214 150 216 126 212 104"
            "M122 224C118 264 118 300 112 336M390 224C394 264 394 300 400 336"
            "M136 262C128 304 128 330 138 348M376 262C384 304 384 330 374 348"
        ),
    ),
    Hair.LONG: HairShape(
        back=(
            "M256 52C158 52 108 118 106 210C104 262 84 288 90 330C96 362 74 384 80 416C84 438 124 446 152 440L360 440"
            "C388 446 428 438 432 416C438 384 416 362 422 330C428 288 408 262 406 210C404 118 354 52 256 52Z"
        ),
        outer=(
            "M112 392C78 372 104 330 100 294C98 262 106 232 104 198C108 100 168 40 252 42"
            "C344 38 404 104 408 198C406 232 414 262 412 294C408 330 434 372 400 392"
        ),
        hairline=(
            "C382 370 390 320 376 282C364 250 368 218 362 190C320 178 268 148 236 96"
            "C226 140 190 176 150 190C144 218 148 250 136 282C122 320 130 370 112 392Z"
        ),
        shine=(
            "M138 172C144 124 168 92 204 74C184 100 172 136 166 172C156 178 146 178 138 172Z"
            "M286 74C334 84 364 118 372 162C350 124 320 98 286 74Z"
        ),
        strands=(
            "M236 96C232 80 236 66 246 56M262 118C300 138 340 150 374 166M214 132C206 116 206 100 214 84"
            "M122 226C126 258 112 284 114 316C116 340 106 356 110 374M390 226C386 258 400 284 398 316"
            "C396 340 406 356 402 374M138 262C128 292 130 318 126 344M374 262C384 292 382 318 386 344"
        ),
    ),
    Hair.PONYTAIL: HairShape(
        back=(
            "M318 92C352 44 424 62 438 122C446 164 432 196 440 232C448 272 436 312 402 326C392 330 388 322 392 312"
            "C402 284 392 262 384 238C372 206 384 176 364 150C350 132 330 122 318 92Z"
        ),
        outer=_COMBED_BACK.outer,
        hairline=_COMBED_BACK.hairline,
        shine=_COMBED_BACK.shine + "M392 96C410 104 420 126 418 152C410 130 400 114 384 106Z",
        strands=_COMBED_BACK.strands + "M404 140C412 180 402 210 410 246C414 266 414 286 408 300",
    ),
    Hair.BUN: HairShape(
        back="M206 92C180 58 208 26 256 28C304 26 332 58 306 92C296 112 216 112 206 92Z",
        outer=_COMBED_BACK.outer,
        hairline=_COMBED_BACK.hairline,
        shine=_COMBED_BACK.shine + "M226 52C236 42 256 40 268 46C252 48 240 52 234 60Z",
        strands=_COMBED_BACK.strands,
    ),
    Hair.PIGTAILS: HairShape(
        back=(
            "M150 132C116 92 66 104 62 152C60 190 80 206 72 246C68 276 78 300 104 306C114 308 116 298 112 290"
            "C104 262 128 236 132 200C136 176 152 160 150 132Z"
            "M362 132C396 92 446 104 450 152C452 190 432 206 440 246C444 276 434 300 408 306C398 308 396 298 400 290"
            "C408 262 384 236 380 200C376 176 360 160 362 132Z"
        ),
        outer="M138 246C126 230 121 210 121 190C124 108 172 58 256 58C340 58 388 108 391 190C391 210 386 230 374 246",
        hairline=(
            "L362 238C364 212 366 198 362 184C322 178 278 148 256 104C234 148 190 178 150 184C146 198 148 212 150 238Z"
        ),
        shine=(
            "M146 160C156 120 184 92 222 82C198 102 178 130 170 162Z"
            "M84 150C90 134 104 130 116 136C104 142 96 154 94 170Z"
            "M396 136C408 130 422 134 428 150C420 144 408 142 400 146Z"
        ),
        strands=(
            "M256 104C256 90 256 80 256 68M212 148C222 128 228 108 228 90M300 148C290 128 284 108 284 90"
            "M92 176C100 200 88 226 92 254M420 176C412 200 424 226 420 254"
        ),
    ),
}


_SIDE_CURLS = HairShape(
    back=_scalloped_edge(136, 196, 46, 60, 300, 7) + "Z" + _scalloped_edge(376, 196, 46, -120, 120, 7) + "Z",
    strands="M112 186C104 194 104 206 112 212M400 186C408 194 408 206 400 212",
)
# A hat covers hair that is flat. Hair that stands up would show above the hat, so a flatter shape replaces it.
_UNDER_HAT = {
    Hair.SHORT: HAIR_SHAPES[Hair.BUZZ],
    Hair.CURLY: _SIDE_CURLS,
    Hair.AFRO: _SIDE_CURLS,
    Hair.BUN: _COMBED_BACK,
}


def hair_under_hat(hair: Hair, hat: Hat) -> HairShape:
    """Return the shape of a hair style under a hat."""
    if hat is Hat.HIJAB:
        return HAIR_SHAPES[Hair.NONE]
    return _UNDER_HAT.get(hair, HAIR_SHAPES[hair]) if hat in (Hat.CAP, Hat.BEANIE) else HAIR_SHAPES[hair]


def hair_behind(shape: HairShape, color: HairColor) -> str:
    """Return the hair behind the head. The document must define the gradient ``hair-back``."""
    return path(shape.back, fill="url(#hair-back)", stroke=HAIR_COLORS[color].line, stroke_width=4)


def hair_on_head(shape: HairShape, color: HairColor) -> str:
    """Return the hair on the head. The document must define the gradient ``hair``."""
    shades = HAIR_COLORS[color]
    return (
        path(
            shape.outer + shape.hairline, fill="url(#hair)", stroke=shades.line, stroke_width=4, stroke_linejoin="round"
        )
        + line(shape.strands, shades.shadow, 5)
        + path(shape.shine, fill=shades.light, fill_opacity=0.7)
    )
