"""The running app loads neither TensorFlow nor Keras. The contracts in pyproject.toml check the source."""

import subprocess
import sys

import pytest

from emojify.settings import ROOT

pytestmark = pytest.mark.slow

APP = """
import sys
from streamlit.testing.v1 import AppTest
from unittest.mock import patch
with patch("streamlit_webrtc.component.get_this_session_info", return_value=None):
    app = AppTest.from_file("streamlit_app.py", default_timeout=60).run()
assert not app.exception, app.exception
print(sorted({name.split(".")[0] for name in sys.modules} & {"tensorflow", "keras"}))
"""


def test_app_imports_neither_tensorflow_nor_keras() -> None:
    done = subprocess.run([sys.executable, "-c", APP], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"
