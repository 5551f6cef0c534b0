"""Live page: the choice of pack and style, and the settings of the video."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from emojify.files import fingerprint
from emojify.live.processor import LiveSettings
from emojify.models import ModelStore, OpenedModel
from emojify.packs.pack import EmojiPack
from emojify.packs.store import PackList
from emojify.printable import printable
from emojify.settings import Settings
from emojify.vision.annotators import DEFAULT_STYLE, STYLES, STYLES_HELP, Annotator
from emojify.vision.detectors.haar import DetectorSettings, Method
from emojify.vision.per_face import AnnotatorPerFace
from emojify.vision.placement import MAX_RISE, MAX_SIZE, MIN_SIZE, Placement
from emojify.vision.smoothing import SmoothingSettings
from pages.parts.messages import escape_markdown
from pages.parts.visitor_pack import available_packs

MAX_TIME_CONSTANT_S = 1.0
MAX_THRESHOLD = 0.9
MAX_PACKS_AT_ONCE = 6  # their pictures are in memory, 7.3 MB for each pack

# ---- pack and style ----


def choose_pack_and_style(settings: Settings) -> tuple[EmojiPack, Annotator]:
    """Return the chosen pack, and the annotator that draws it. Stop the page if there is no pack."""
    packs = available_packs(settings)
    for problem in packs.problems:
        st.warning(escape_markdown(problem))
    if not packs.packs:
        st.info("There is no emoji pack. Restore the folder emojis/ from the project, then reload this page.")
        st.stop()
    labels = packs.labels
    pack_id = st.selectbox("Emoji pack", list(labels), format_func=labels.__getitem__, key="pack", bind="query-params")
    style = st.segmented_control(
        "Where it appears",
        list(STYLES),
        default=None if st.session_state.get("style_restored") else DEFAULT_STYLE,
        required=True,
        format_func=lambda key: STYLES[key].label,
        help=STYLES_HELP,
        key="style",
        bind="query-params",
    )
    st.session_state.pack_ids = list(labels)
    pack = packs.get(str(pack_id))
    shown = [pack]
    place = st.container()  # always there, so that what follows keeps its place
    if style == DEFAULT_STYLE and len(packs.packs) > 1:
        each = place.toggle(
            "A different emoji for each person", key="per_person", persist_state="session",
            help="The first face gets the chosen pack, the next ones get other packs.",
        )  # fmt: skip
        if each:
            shown = packs_at_once(pack, packs)
    return pack, create_annotator(str(style), shown, chosen_placement())


def packs_at_once(pack: EmojiPack, packs: PackList) -> list[EmojiPack]:
    """Return the packs of several people: the chosen one, then others."""
    return [pack, *(other for other in packs.packs if other.id != pack.id)][:MAX_PACKS_AT_ONCE]


def chosen_placement() -> Placement:
    """Return the size and height that the settings have chosen."""
    state = st.session_state
    return Placement(float(state.get("size", DEFAULTS["size"])), float(state.get("rise", DEFAULTS["rise"])))


def create_annotator(style: str, packs: Sequence[EmojiPack], placement: Placement) -> Annotator:
    """Return the annotator of a style, the same one until an argument changes.

    Args:
        style: a key of ``STYLES``.
        packs: the pack of all faces; or several, one for each face.
        placement: of the emoji on the face.
    """
    return _create_annotator(style, packs, tuple(pack.fingerprint() for pack in packs), placement)


@st.cache_resource(show_spinner=False, max_entries=3, scope="session")
def _create_annotator(
    style: str, _packs: Sequence[EmojiPack], files: tuple[str, ...], placement: Placement
) -> Annotator:
    annotators = [STYLES[style].create(pack.emoji, placement) for pack in _packs]
    return annotators[0] if len(annotators) == 1 else AnnotatorPerFace(annotators)


# ---- settings ----


DEFAULTS = {
    "mirror": True,
    "size": Placement().size,
    "rise": Placement().rise,
    "smoothing": SmoothingSettings().time_constant_s,
    "threshold": SmoothingSettings().threshold,
    "detector": DetectorSettings().method,
    "scale_factor": DetectorSettings().scale_factor,
    "min_neighbors": DetectorSettings().min_neighbors,
}
"""The settings by the key of their widget, besides the model."""


def show_settings(settings: Settings, annotator: Annotator) -> LiveSettings:
    """Show the settings on request, beside the video; return what the video processor needs.

    Raises:
        EmojifyError: if no model can be opened.
    """
    for key, default in DEFAULTS.items():
        st.session_state.setdefault(key, default)
    with st.popover("Settings", icon=":material/tune:"):
        mirror = st.toggle("Mirror the picture", key="mirror", persist_state="session")
        _choose_placement()
        smoothing, method = _choose_smoothing(), _choose_method()
        model_id = _choose_model(ModelStore(settings.models))
        with st.expander("Haar cascade", icon=":material/frame_person:"):
            detection = _choose_detection(method)
        st.button("Reset all settings", icon=":material/restart_alt:", on_click=reset_settings)
    opened = open_model(settings, model_id)
    for problem in opened.problems:
        st.warning(escape_markdown(f"{problem} Using {opened.model.id} instead."))
    return LiveSettings(
        classifier=opened.classifier, annotator=annotator, mirror=mirror, detection=detection, smoothing=smoothing
    )


def reset_settings() -> None:
    """Go back to the defaults, and to the live model."""
    st.session_state.update(DEFAULTS)
    st.session_state.pop("model", None)


def _choose_placement() -> None:
    """Show the sliders that :func:`chosen_placement` reads."""
    st.slider(
        "Size of the emoji",
        MIN_SIZE, MAX_SIZE, step=0.05, key="size", persist_state="session",
        help="At 1 the emoji is as wide as your head. It counts for emoji on the face.",
    )  # fmt: skip
    st.slider(
        "Height of the emoji",
        -MAX_RISE, MAX_RISE, step=0.05, key="rise", persist_state="session",
        help="To the right: further up, for example so that your mouth stays visible.",
    )  # fmt: skip


def _choose_smoothing() -> SmoothingSettings:
    time_constant_s = st.slider(
        "Steadiness",
        0.0, MAX_TIME_CONSTANT_S, step=0.05, key="smoothing", persist_state="session",
        format="%.2f s", help="Higher: the emoji changes less often. Lower: it follows your face faster.",
    )  # fmt: skip
    threshold = st.slider(
        "Certainty",
        0.0, MAX_THRESHOLD, step=0.05, key="threshold", persist_state="session",
        help="Higher: when in doubt, the emoji stays neutral. Lower: it shows the best guess more often.",
    )  # fmt: skip
    return SmoothingSettings(time_constant_s, threshold)


def _choose_method() -> Method:
    method = st.segmented_control(
        "Finding faces",
        list(Method),
        required=True,
        format_func=lambda choice: choice.label,
        key="detector",
        persist_state="session",
        help="Automatic also finds tilted, dark and covered faces. Haar only is the cascade of the original tutorial.",
    )
    return method or Method.AUTOMATIC


def _choose_detection(method: Method) -> DetectorSettings:
    scale_factor = st.slider(
        "Search steps",
        1.05, 1.5, step=0.05, key="scale_factor", persist_state="session",
        help="Closer to 1: Haar finds more faces, and takes longer. OpenCV calls it scaleFactor.",
    )  # fmt: skip
    min_neighbors = st.slider(
        "Strictness",
        1, 10, key="min_neighbors", persist_state="session",
        help="Higher: Haar shows fewer false faces, and misses more real ones. OpenCV calls it minNeighbors.",
    )  # fmt: skip
    return DetectorSettings(scale_factor, min_neighbors, method)


def _choose_model(models: ModelStore) -> str:
    live_id = models.live_id
    ids = list(dict.fromkeys([live_id, *(model.id for model in models.models())]))
    st.session_state.model = model_to_select(
        st.session_state.get("model"), st.session_state.get("live_model"), live_id, ids
    )
    st.session_state.live_model = live_id
    model_id = st.selectbox(
        "Model",
        ids,
        key="model",
        persist_state="session",
        format_func=lambda name: f"{printable(name)} (live)" if name == live_id else printable(name),
    )
    return str(model_id)


def model_to_select(selected: str | None, previous_live: str | None, live: str, ids: list[str]) -> str:
    """Return the id of the model to select.

    A session that follows the live model switches when another one is promoted. A session that selected another model
    keeps it while it exists.
    """
    return live if selected is None or selected == previous_live or selected not in ids else selected


def open_model(settings: Settings, model_id: str) -> OpenedModel:
    """Return a model, opened once for each state of the models folder. An empty id opens the live model.

    Raises:
        EmojifyError: if no model can be opened.
    """
    return _open_model(model_id, fingerprint(settings.models))


@st.cache_resource(show_spinner="Loading the model …", max_entries=4)
def _open_model(model_id: str, files: str) -> OpenedModel:
    return ModelStore(Settings.from_environment().models).open(model_id)
