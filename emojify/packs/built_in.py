"""The packs that come with Emojify. All of them are drawn by code.

To add one: write a function that draws an expression as SVG (:mod:`~emojify.packs.drawing.classic` is an example) and
add an entry to :data:`BUILT_IN_PACKS`. Then draw and commit its pictures; git ignores the other packs in ``emojis/``,
so adding these needs ``--force``::

    python -m emojify.packs.drawing
    git add --force emojis/<id>
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emojify.packs.avatar import HEAD, Avatar
from emojify.packs.drawing.appearance import Person
from emojify.packs.drawing.cat import cat_svg
from emojify.packs.drawing.classic import classic_svg
from emojify.packs.drawing.expression import Expression
from emojify.packs.drawing.person import person_svg
from emojify.packs.drawing.robot import robot_svg
from emojify.packs.manifest import PackManifest
from emojify.vision.annotators import Head


@dataclass(frozen=True)
class BuiltInPack:
    """A pack drawn by code.

    Attributes:
        manifest: the content of its ``pack.json``.
        svg: returns the drawing of an expression, a square SVG document with a transparent background.
    """

    manifest: PackManifest
    svg: Callable[[Expression], str]


def _manifest(
    name: str, description: str, head: Head, avatar: Mapping[str, str | float | bool | None] | None = None
) -> PackManifest:
    return PackManifest(name, author="Emojify", license="MIT", description=description, head=head, avatar=avatar)


BUILT_IN_PACKS: dict[str, BuiltInPack] = {
    "classic": BuiltInPack(
        _manifest("Classic", "The round yellow face.", Head(x=0.5, y=0.5, width=0.94)),
        classic_svg,
    ),
    "person": BuiltInPack(
        _manifest("Person", "A person in a green shirt.", HEAD, avatar=Avatar(Person()).to_json()),
        lambda expression: person_svg(Person(), expression),
    ),
    "cat": BuiltInPack(
        _manifest("Cat", "A gray cat.", Head(x=0.5, y=0.57, width=0.84)),
        cat_svg,
    ),
    "robot": BuiltInPack(
        _manifest("Robot", "A robot whose face is a screen.", Head(x=0.5, y=0.55, width=0.8)),
        robot_svg,
    ),
}
"""All built-in packs, by id. An id is the name of the pack's folder in ``emojis/``.

Users cannot change or remove these packs, or add packs with these ids.
"""
