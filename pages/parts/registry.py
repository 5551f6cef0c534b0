"""The pages of the app: adding a page is one line in ``PAGES``, and its file.

The file calls ``enter_page(__file__)`` before anything else, see ``pages/parts/entry.py``. Visitors of a public copy
can't open a page that is not listed here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from emojify.settings import Settings


@dataclass(frozen=True)
class PageEntry:
    """One page in the menu.

    Attributes:
        file: its path, relative to the root of the repository.
        title: its name in the menu.
        icon: a Material symbol, as Streamlit writes it.
        for_visitors: whether visitors of a public copy can open it. False for pages that need ``admin_only`` functions.
        hidden: whether it is missing from the menu and can only be opened by its address.
    """

    file: str
    title: str
    icon: str
    for_visitors: bool = False
    hidden: bool = False


PAGES = (  # in the order of the menu; the first one opens by default
    PageEntry("pages/live.py", "Live", ":material/videocam:", for_visitors=True),
    PageEntry("pages/teach.py", "Teach it your face", ":material/school:"),
    PageEntry("pages/videos.py", "Videos", ":material/movie:"),
    PageEntry("pages/emoji_packs.py", "Emoji packs", ":material/add_reaction:", for_visitors=True),
    PageEntry("pages/avatar_maker.py", "Make an avatar", ":material/face_retouching_natural:", for_visitors=True),
    PageEntry("pages/training.py", "Training", ":material/model_training:"),
)
ADMIN_PAGE = PageEntry(
    "pages/admin.py", "Admin", ":material/admin_panel_settings:", for_visitors=True
)  # they sign in there


def is_for_visitors(file: str) -> bool:
    """Return True if visitors of a public copy can open the page in ``file`` (a path, absolute or relative)."""
    name = Path(file).name
    return any(page.for_visitors and Path(page.file).name == name for page in (*PAGES, ADMIN_PAGE))


def menu(settings: Settings, *, visitor: bool, signed_in: bool) -> list[PageEntry]:
    """Return the pages that a session can open, in the order of the menu.

    Args:
        settings: of this copy. The admin page exists only in a public copy with admins.
        visitor: whether the session is a visitor of a public copy.
        signed_in: whether its user has signed in, as an admin or not.
    """
    pages = [page for page in PAGES if page.for_visitors or not visitor]
    if settings.public and settings.admins:
        # Visitors need not sign in, so the menu does not offer it: admins know the address /admin.
        pages.append(replace(ADMIN_PAGE, hidden=not signed_in))
    return pages
