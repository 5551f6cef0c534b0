"""No page shows the text of a person or a file as Markdown without escaping it.

Streamlit reads nearly every text as Markdown, so a file's name could be a link, an icon, or a picture that the browser
loads from another site. This test reads the source of the pages: what they show as Markdown consists of texts that are
written there, of numbers, of calls of ``escape_markdown``, and of the expressions in ``TRUSTED``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from emojify.settings import ROOT

PAGES = sorted([*(ROOT / "pages").rglob("*.py"), ROOT / "streamlit_app.py"])

MARKDOWN_ARGUMENTS: dict[str, tuple[int | str, ...]] = {
    # the name of a function or method of Streamlit: its arguments that are shown as Markdown, besides "help"
    **dict.fromkeys(("markdown", "write", "caption", "title", "header", "subheader", "latex"), (0, "body")),
    **dict.fromkeys(("success", "info", "warning", "error", "toast", "badge", "exception"), (0, "body", "icon")),
    **dict.fromkeys(("button", "form_submit_button", "link_button", "page_link"), (0, "label", "icon")),
    "download_button": (0, "label", "icon"),
    **dict.fromkeys(("checkbox", "toggle", "text_input", "text_area", "number_input", "slider"), (0, "label")),
    **dict.fromkeys(("file_uploader", "camera_input", "color_picker", "date_input", "time_input"), (0, "label")),
    **dict.fromkeys(("selectbox", "multiselect", "select_slider"), (0, "label")),  # their options are plain text
    **dict.fromkeys(("radio", "pills", "segmented_control"), (0, "label", "captions")),  # and see OPTIONS
    **dict.fromkeys(("expander", "popover", "status", "spinner", "dialog"), (0, "label", "text", "title", "icon")),
    "tabs": (0, "tabs"),
    "progress": (1, "text"),
    "metric": (0, 1, 2, "label", "value", "delta"),
    "image": (1, "caption"),
    "set_page_config": (),
    "html": (),  # tested below
}  # fmt: skip
OPTIONS = ("radio", "pills", "segmented_control")  # their options are shown as Markdown, through format_func

TRUSTED = {
    # labels and symbols of the seven emotions, and lists of them
    "emotion.label", "emotion.symbol", "last[0].emotion.label", "progress.emotion.label", "progress.emotion.symbol",
    "reading.caption", "reading.emotion.symbol", "position_text(readings, main)", "', '.join(LABELS)",
    "', '.join((emotion.label for emotion in draft.missing))",
    "emotion_option(parse_emotion(label), counts[parse_emotion(label)])",
    "[emotion.label for emotion in Emotion]", "parse_emotion(label).symbol",
    # the registries of the code, and names of settings
    "STYLES[key].label", "list(STYLES)", "choice.label", "list(Method)",
    "list(FORMATS)", "FORMATS.__getitem__", "str(choice).capitalize()",
    "[str(choice) for choice in PARTS[part]]", "preset.name", "name.replace('_', ' ')", "SETTINGS_HELP.get(name)",
    "TEXT_FIELDS.items()", "list(VIEWS)", "list(CLIP_FORMATS)", "run.state.value",
    # numbers
    "taken + 1", "SHOTS",
    "status.dropped", "status.failed", "progress.seconds_left", "progress.crops", "number", "done", "batch.number",
    "batch.batches", "config.epochs", "run.best_epoch", "progress.unreadable", "len(readings)", "len(status.readings)",
    "duration(left_s)", "duration(estimate['duration_s'])", "duration(estimate['seconds'])",
    "format_duration(estimated_s(config, speed, check.pictures))", "format_duration(remaining_s)",
    "format_duration(age_s)", "format_duration(export.age_s)", "count_pictures(len(samples))",
    "count_pictures(len(checked))", "count_recordings(len({sample.recording for sample in samples}))",
    "accuracy_sentence(stats)", "comparison_table(teaching.result)", "judged.headline", "emotions_line(judged.recall)",
    "percent(figures.get('accuracy'))", "percent(figures.get('macro_recall'))",
    "percent(figures.get('ferplus_accuracy'))", "percent(figures.get('ferplus_macro_recall'))",
    "percent(figures.get('ferplus_calibration_error'))",
}  # fmt: skip
"""Expressions of the pages that no visitor and no file can fill with text of their own."""
TRUSTED_IN = {
    "pages/avatar_maker.py": {"avatar_css()", "label"},
    "pages/emoji_packs.py": {"label"},
    "pages/parts/clean_view.py": {"_CSS.format(color=color)"},
    "pages/parts/live_recordings.py": {"names"},
    "pages/parts/live_timeline.py": {"timeline_html(session.timeline.seconds())"},
    "pages/parts/probability_bars.py": {"bars_html(reading)", "empty_text", "prefix"},
    "pages/training_views/figures.py": {"title"},
    "pages/training_views/golive.py": {"label", "title"},
    "pages/training_views/train.py": {"label"},
    "pages/videos.py": {"label", "start_label"},
}
"""The same, of one page: above all parameters that its own calls fill with labels."""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_escapes_what_it_shows(path: Path) -> None:
    trusted = TRUSTED | TRUSTED_IN.get(path.relative_to(ROOT).as_posix(), set())
    unescaped = [(line, text) for line, text in find_unescaped(path.read_text(encoding="utf-8"), trusted)]
    assert not unescaped, "Call escape_markdown for it; if it can only be text of the code, add it to TRUSTED."


@pytest.mark.parametrize(
    "statement",
    [
        "st.caption(file.name)",
        "st.caption(body=file.name)",
        "st.error(str(error))",
        "st.info(f'{file.name} is here')",
        "st.info(f'{file.name:>20} is here')",
        "st.button('a' if b else file.name)",
        "st.markdown('a', help=file.name)",
        "st.radio('a', [file.name])",
        "st.pills('a', ['b'], format_func=lambda name: file.name)",
        "st.progress(0.5, f'{file.name}')",
        "column.subheader('Name: ' + file.name)",
        "text = file.name; st.caption(text)",
        "text = 'a'; text += file.name; st.caption(text)",
        "st.expander(', '.join(file.name for file in files))",
        "st.image(picture, caption=file.name)",
        "st.html(f'<b>{file.name}</b>')",
    ],
)
def test_find_unescaped_finds_file_name(statement: str) -> None:
    assert find_unescaped(f"import streamlit as st\ndef show(file, files, b):\n    {statement}")


@pytest.mark.parametrize(
    "statement",
    [
        "st.caption(escape_markdown(file.name))",
        "st.caption(f'{escape_markdown(file.name)} has {file.size:,} bytes')",
        "text = escape_markdown(file.name); st.caption(text)",
        "st.caption(', '.join(escape_markdown(file.name) for file in files))",
        "st.pills('a', files, format_func=escape_markdown)",
        "st.html(f'<b>{html.escape(file.name)}</b>')",
    ],
)
def test_find_unescaped_accepts_escaped_name(statement: str) -> None:
    assert not find_unescaped(f"import streamlit as st\ndef show(file, files):\n    {statement}")


def find_unescaped(source: str, trusted: set[str] = TRUSTED) -> list[tuple[int, str]]:
    """Return line and text of each expression that is shown as Markdown or HTML and is not known to be harmless."""
    tree = ast.parse(source)
    found = []
    for scope in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda))]:
        assigned = _assignments(scope)
        for call in _calls_in(scope):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if name in MARKDOWN_ARGUMENTS:
                check = _Check(assigned, trusted, as_html=name == "html")
                found += [(shown.lineno, ast.unparse(shown)) for shown in _shown(call, name) if not check.passes(shown)]
    return found


def _calls_in(scope: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls in a scope, without those in the functions that it defines."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            yield node
        yield from _calls_in(node)


def _assignments(scope: ast.AST) -> dict[str, list[ast.expr]]:
    """Return all values that a scope assigns to each of its names."""
    values: dict[str, list[ast.expr]] = {}
    for node in ast.walk(scope):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AugAssign(target=ast.Name(id=name), value=value)
            ):
                values.setdefault(name, []).append(value)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=elements)):
                for target, element in zip(names, elements, strict=True):
                    values.setdefault(ast.unparse(target), []).append(element)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                values.setdefault(name, []).append(value)
    return values


def _shown(call: ast.Call, name: str) -> Iterator[ast.expr]:
    """Yield the arguments of a call that are shown."""
    if name == "html":
        yield from call.args
        return
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    for argument in (*MARKDOWN_ARGUMENTS[name], "help"):
        if isinstance(argument, str) and argument in keywords:
            yield keywords[argument]
        elif isinstance(argument, int) and argument < len(call.args):
            yield call.args[argument]
    if name in OPTIONS:
        format_func = keywords.get("format_func")
        if isinstance(format_func, ast.Lambda):
            yield format_func.body
        else:
            yield format_func or (call.args[1] if len(call.args) > 1 else keywords["options"])


@dataclass(frozen=True)
class _Check:
    """Whether an expression is harmless.

    Attributes:
        assigned: all values that its function assigns to each name.
        trusted: see ``TRUSTED``.
        as_html: whether it is shown as HTML instead of Markdown.
    """

    assigned: dict[str, list[ast.expr]]
    trusted: set[str]
    as_html: bool

    def passes(self, *nodes: ast.expr) -> bool:
        return all(ast.unparse(node) in self.trusted or self._is_harmless(node) for node in nodes)

    def _is_harmless(self, node: ast.expr) -> bool:
        match node:
            case ast.Constant():
                return True
            case ast.Name(id="escape_markdown") | ast.Call(func=ast.Name(id="escape_markdown")):
                return not self.as_html
            case ast.Call(func=ast.Attribute(value=ast.Name(id="html"), attr="escape")):
                return self.as_html
            case ast.Name(id=name):
                is_constant = name.lstrip("_").isupper()
                others = {key: values for key, values in self.assigned.items() if key != name}  # ends recursions
                inner = replace(self, assigned=others)
                return is_constant or (name in self.assigned and inner.passes(*self.assigned[name]))
            case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[joined]):
                return self.passes(joined)
            case ast.GeneratorExp(elt=element) | ast.ListComp(elt=element):
                return self.passes(element)
            case ast.List(elts=nodes) | ast.Tuple(elts=nodes) | ast.BoolOp(values=nodes) | ast.JoinedStr(values=nodes):
                return self.passes(*nodes)
            case ast.IfExp(body=left, orelse=right) | ast.BinOp(left=left, right=right):
                return self.passes(left, right)
            case ast.FormattedValue(value=value, format_spec=spec):
                is_number = spec is not None and ast.unparse(spec)[2:-1].endswith((",", "f", "%", "d"))
                return is_number or self.passes(value)
        return False
