"""What the architecture promises, checked in fresh interpreters."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

APP = """
import sys
from streamlit.testing.v1 import AppTest
from unittest.mock import patch
with patch("streamlit_webrtc.component.get_this_session_info", return_value=None):
    app = AppTest.from_file("streamlit_app.py", default_timeout=60).run()
assert not app.exception, app.exception
print(sorted({name.split(".")[0] for name in sys.modules} & {"tensorflow", "keras"}))
"""


def test_the_app_never_imports_tensorflow_or_keras() -> None:
    done = subprocess.run([sys.executable, "-c", APP], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize(
    ("wing", "forbidden"),
    [
        (
            "emojify/vision",
            ("streamlit", "streamlit_webrtc", "av", "tensorflow", "keras", "emojify.live", "emojify.packs"),
        ),
        (
            "emojify/packs",
            ("streamlit", "streamlit_webrtc", "av", "tensorflow", "keras", "emojify.live", "emojify.models"),
        ),
        ("emojify/video", ("streamlit", "streamlit_webrtc", "tensorflow", "keras", "emojify.live", "emojify.training")),
        (
            "emojify/teaching",
            ("streamlit", "streamlit_webrtc", "av", "tensorflow", "keras", "emojify.live", "emojify.packs", "pages"),
        ),
        ("emojify/live", ("tensorflow", "keras", "emojify.training", "emojify.teaching", "pages")),
        ("emojify/training", ("streamlit", "streamlit_webrtc", "av", "emojify.live", "pages")),
        ("pages", ("tensorflow", "keras", "emojify.training")),
    ],
)
def test_arrows_point_down_only(wing: str, forbidden: tuple[str, ...]) -> None:
    files = list((ROOT / wing).rglob("*.py"))
    assert files
    for path in files:
        for name in imports_of(path):
            assert not any(name == bad or name.startswith(f"{bad}.") for bad in forbidden), f"{path} imports {name}"


def test_every_page_is_entered_through_the_front_door() -> None:
    for path in (ROOT / "pages").glob("*.py"):
        first = next(
            node for node in ast.parse(path.read_text("utf-8")).body
            if not isinstance(node, ast.Import | ast.ImportFrom) and not _is_docstring(node)
        )  # fmt: skip
        assert ast.unparse(first) == "require_entry_script()", path.name


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
