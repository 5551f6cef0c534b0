import re

import pytest

from emojify.packs.drawing.appearance import PARTS
from pages.parts.avatar_style import SWATCHES, avatar_css


@pytest.mark.parametrize("part", SWATCHES)
def test_swatches_match_choices_in_number(part: str) -> None:
    assert len(SWATCHES[part]) == len(PARTS[part])
    assert len(set(SWATCHES[part])) == len(SWATCHES[part])


def test_avatar_css_colors_every_swatch() -> None:
    rules = re.findall(
        r"\.st-key-(\w+) button:nth-of-type\((\d+)\) p::before \{[^}]*background:([^;}]+)\}", avatar_css()
    )
    assert rules == [
        (part, str(number), color) for part, colors in SWATCHES.items() for number, color in enumerate(colors, start=1)
    ]
