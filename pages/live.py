"""Live: press Start, be an emoji. Without a camera, a photo does."""

from __future__ import annotations

from urllib.parse import quote

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emojify.emotions import Emotion
from emojify.errors import EmojifyError
from emojify.files import fingerprint
from emojify.live.processor import EmojiVideoProcessor, LiveSettings
from emojify.live.session import LiveSession
from emojify.live.session_limiter import FULL_MESSAGE
from emojify.models import ModelStore, OpenedModel
from emojify.packs.pack import EmojiPack
from emojify.packs.store import DEFAULT_PACK
from emojify.pictures import encode_png, read_photo
from emojify.settings import Settings
from emojify.vision.analyzer import analyze_photo
from emojify.vision.annotators import DEFAULT_STYLE, STYLES, STYLES_HELP, Annotator, ChromaKeyAnnotator
from emojify.vision.detector import DetectorSettings
from emojify.vision.readings import Reading, main_reading
from emojify.vision.smoothing import SmoothingSettings
from pages.parts.clean_view import BACKGROUNDS, clean_css, hide_controls
from pages.parts.entry import enter_page
from pages.parts.live_recordings import show_recordings
from pages.parts.probability_bars import bars_html
from pages.parts.stream import show_stream
from pages.parts.visitor_pack import available_packs

enter_page(__file__)

SECONDS_BETWEEN_UPDATES = 0.5
MAX_PHOTO_MB = 20
CLIP_S = 4.0
VIDEO, PHOTO = "Live video", "Photo"
TIGHTER_TOP = "<style>.stMainBlockContainer {padding-top: 4.5rem}</style>"


@st.cache_resource(show_spinner="Loading the model …", max_entries=4)
def open_model(folder: str, model_id: str, files: str) -> OpenedModel:
    """``files`` is the folder's fingerprint, so that a repaired or replaced model is opened anew."""
    return ModelStore(Settings.from_environment().models).open(model_id)


@st.cache_resource(show_spinner=False, max_entries=3, scope="session")
def make_annotator(style: str, _pack: EmojiPack, files: str) -> Annotator:
    """``files`` is the pack's fingerprint."""
    return STYLES[style].create(_pack.emoji)


def choose_look() -> tuple[EmojiPack, Annotator]:
    found = available_packs(settings)
    for problem in found.problems:
        st.warning(problem)
    if not found.packs:
        st.info("Bring the folder emojis/ back from the project, then reload this page.")
        st.stop()
    names = found.labels
    pack_id = st.selectbox("Emoji pack", list(names), format_func=names.__getitem__, key="pack", bind="query-params")
    pack = found.get(str(pack_id))
    style = st.segmented_control(
        "Where it appears",
        list(STYLES),
        default=DEFAULT_STYLE,
        required=True,
        format_func=lambda key: STYLES[key].label,
        help=STYLES_HELP,
        key="style",
        bind="query-params",
    )
    return pack, make_annotator(str(style), pack, pack.fingerprint())


def follow_live_model(live_id: str, ids: list[str]) -> None:
    """Whoever uses the live model goes on with the next one that is put live; whoever chose another keeps that."""
    chosen = st.session_state.get("model")
    if chosen == st.session_state.get("live_model") or chosen not in ids:
        st.session_state.model = live_id
    st.session_state.live_model = live_id


def named(model_id: str, live_id: str) -> str:
    return f"{model_id} (live)" if model_id == live_id else model_id


def fine_tune(annotator: Annotator) -> LiveSettings:
    store = ModelStore(settings.models)
    ids = list(dict.fromkeys([store.live_id, *(model.id for model in store.models())]))
    follow_live_model(store.live_id, ids)
    with st.expander("Settings", icon=":material/tune:"):
        mirror = st.toggle("Mirror the picture", True, key="mirror", persist_state="session")
        smoothing_s = st.slider(
            "Smoothing, seconds: more is calmer, less is quicker",
            0.0, 1.0, SmoothingSettings().time_constant_s, 0.05, key="smoothing", persist_state="session",
        )  # fmt: skip
        threshold = st.slider(
            "Threshold: below this probability a face counts as unsure and shows neutral",
            0.0, 0.9, SmoothingSettings().threshold, 0.05, key="threshold", persist_state="session",
        )  # fmt: skip
        scale_factor = st.slider(
            "Detector's scaleFactor: nearer to 1 finds more faces and takes longer",
            1.05, 1.5, DetectorSettings().scale_factor, 0.05, key="scale_factor", persist_state="session",
        )  # fmt: skip
        min_neighbors = st.slider(
            "Detector's minNeighbors: more means fewer phantom faces, and more real ones missed",
            1, 10, DetectorSettings().min_neighbors, key="min_neighbors", persist_state="session",
        )  # fmt: skip
        model_id = st.selectbox(
            "Model", ids, key="model", persist_state="session", format_func=lambda name: named(name, store.live_id)
        )
    opened = open_model(str(settings.models), str(model_id), fingerprint(settings.models))
    for problem in opened.problems:
        st.warning(f"{problem} Using {opened.model.id} instead.")
    return LiveSettings(
        classifier=opened.classifier,
        annotator=annotator,
        mirror=mirror,
        detection=DetectorSettings(scale_factor, min_neighbors),
        smoothing=SmoothingSettings(smoothing_s, threshold),
    )


def show_faces_to_pull(pack: EmojiPack) -> None:
    st.subheader("Press Start, allow the camera, and pull a face", anchor=False)
    with st.container(horizontal=True):
        for emotion in Emotion:
            with st.container(width=76, horizontal_alignment="center", gap="xxsmall"):
                st.image(pack.read(emotion), width=72, alt=f"{pack.name}: {emotion.label}")
                st.caption(emotion.label, text_alignment="center")


def show_reading(reading: Reading | None, none_text: str) -> None:
    if reading is None:
        st.subheader(none_text, anchor=False)
    else:
        symbol = reading.emotion.symbol if reading.sure else "🤔"
        st.subheader(f"{symbol} {reading.caption}", anchor=False)
    st.html(bars_html(reading))


def live_video(live: LiveSettings) -> LiveSession:
    if "live_session" not in st.session_state:
        st.session_state.live_session = LiveSession.create(live)
    session: LiveSession = st.session_state.live_session
    processor = session.processor
    processor.configure(live)
    if not processor.limiter.has_room(processor):
        ask_to_wait()
        return session
    st.session_state.playing = show_stream("live", processor, settings)
    return session


def ask_to_wait() -> None:
    st.session_state.playing = False
    st.info(f"{FULL_MESSAGE} A photo works meanwhile.", icon=":material/hourglass_top:")
    st.button("Try again", icon=":material/refresh:")


def take_snapshot(processor: EmojiVideoProcessor) -> bytes:
    picture = processor.snapshot()
    if picture is None:
        raise EmojifyError("There is no picture yet. Wait for the video, then try again.")
    return encode_png(picture)


def made(session: LiveSession) -> tuple[bool, bool]:
    """Whether there is a clip, and whether there is a strip."""
    return session.clip.clip is not None, session.booth.is_complete


def share(session: LiveSession) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Snapshot", lambda: take_snapshot(session.processor), "emojified.png", "image/png",
            icon=":material/photo_camera:", on_click="ignore",
        )  # fmt: skip
        st.button(
            "Clip", on_click=session.clip.start, args=[CLIP_S], icon=":material/radio_button_checked:",
            help=f"Records {CLIP_S:.0f} seconds, for a video, a looping picture or a sticker",
        )  # fmt: skip
        st.button(
            "Photo strip", on_click=session.booth.start, icon=":material/burst_mode:",
            help="Four snapshots, with a countdown before each",
        )  # fmt: skip


def show_work(session: LiveSession) -> None:
    """That something is being recorded; when it is there, the whole page offers it."""
    left_s = session.clip.left_s
    if left_s is not None:
        st.caption(f":red[●] Recording: {left_s:.0f} s left")
    elif session.booth.is_active:
        st.caption(":red[●] Look into the camera: the picture counts down to each of four shots")
    if made(session) != st.session_state.get("offered"):
        st.rerun()


def offer_clean_view() -> None:
    with st.expander("For OBS or a meeting", icon=":material/present_to_all:"):
        st.caption(
            "Open a clean view in a window of its own and press Start there. In OBS add it as a Window Capture; "
            "for green, add the filter Chroma Key."
        )
        chosen = "".join(f"&{key}={quote(value)}" for key, value in st.query_params.items() if key in ("pack", "style"))
        with st.container(horizontal=True):
            st.link_button("Picture only", f"?view=clean{chosen}")
            st.link_button("Emoji on green", f"?view=clean&background=green&show=emoji{chosen}")


def clean_view() -> None:
    """The picture and nothing else; pack, style, background and what is shown come from the address."""
    asked = st.query_params
    found = available_packs(settings)
    by_word = {found.labels[pack.id]: pack for pack in found.packs} | {pack.id: pack for pack in found.packs}
    pack = by_word.get(asked.get("pack", DEFAULT_PACK)) or found.get(DEFAULT_PACK)
    words = {style.label: key for key, style in STYLES.items()} | {key: key for key in STYLES}
    annotator = make_annotator(words.get(asked.get("style", ""), DEFAULT_STYLE), pack, pack.fingerprint())
    background = asked.get("background", "")
    background = background if background in BACKGROUNDS else "plain"
    if asked.get("show") == "emoji":
        annotator = ChromaKeyAnnotator(annotator, BACKGROUNDS[background])
    opened = open_model(str(settings.models), "", fingerprint(settings.models))
    st.html(clean_css(background))
    live_video(LiveSettings(opened.classifier, annotator))
    hide_controls()


@st.fragment(run_every=SECONDS_BETWEEN_UPDATES)
def watch(session: LiveSession) -> None:
    if ModelStore(settings.models).live_id != st.session_state.live_model:
        st.rerun()  # another model was put live meanwhile
    status = session.processor.status()
    if status.refused:
        st.rerun()  # somebody else was quicker: the page then says so in place of the video
    show_reading(main_reading(status.readings), "Nobody in sight: come into the picture")
    others = f" · {len(status.readings)} faces" if len(status.readings) > 1 else ""
    st.caption(f"{status.fps:.0f} frames/s · {status.latency_ms:.0f} ms a frame · {status.dropped} dropped{others}")
    if status.is_behind:
        st.info(
            f"This machine has too much to do: it shows {status.fps:.0f} of {status.camera_fps:.0f} frames a second, "
            "always the newest. Close what else it runs, or come back when fewer people are live here."
        )
    if status.problem:
        st.warning(f"{status.failed} frames could not be read and are shown as they came ({status.problem}).")
    show_work(session)


def photo(live: LiveSettings) -> Reading | None:
    result_place = st.container()
    brought = st.file_uploader(
        "Choose a photo: PNG, JPEG or WebP", type=["png", "jpg", "jpeg", "webp"], max_upload_size=MAX_PHOTO_MB
    )
    source = brought or st.camera_input("or take one")
    if source is None:
        return None
    with result_place:
        return emojify_photo(source, live)


def emojify_photo(source: UploadedFile, live: LiveSettings) -> Reading | None:
    try:
        scene = read_photo(source.getvalue(), source.name)
    except EmojifyError as error:
        st.error(str(error))
        return None
    readings = analyze_photo(scene, live.classifier, live.detection, live.smoothing)
    if not readings:
        st.warning("No face found. It helps to look straight into the camera, with light on your face.")
    result = encode_png(live.annotator.annotate(scene, readings))
    st.image(result, alt=f"The photo with {len(readings)} emojified faces: {', '.join(r.caption for r in readings)}")
    st.download_button("Download", result, "emojified.png", "image/png", icon=":material/download:", on_click="ignore")
    return main_reading(readings)


settings = Settings.from_environment()
if st.query_params.get("view") == "clean":
    try:
        clean_view()
    except EmojifyError as error:
        st.error(str(error))
    st.stop()
st.html(TIGHTER_TOP)
stage, side = st.columns([5, 3], gap="large")
with stage:
    title_place = st.container(horizontal=True, vertical_alignment="center")
    picture_place, settings_place = st.container(), st.container()
with title_place:
    st.title("Emojify", anchor=False, width="content")
    mode = st.segmented_control(
        "Source", [VIDEO, PHOTO], default=VIDEO, required=True, key="mode", label_visibility="collapsed"
    )
with side:
    pack, annotator = choose_look()
with settings_place:
    try:
        live = fine_tune(annotator)
    except EmojifyError as error:
        st.error(str(error))
        st.stop()

if mode == PHOTO:
    with picture_place:
        reading = photo(live)
    if reading is not None:
        with side:
            show_reading(reading, "")
else:
    with picture_place:
        session = live_video(live)
    st.session_state.offered = made(session)
    if st.session_state.playing:
        with side:
            watch(session)
            share(session)
            show_recordings(session, pack)
    else:
        with side:
            show_recordings(session, pack)
        if session.processor.limiter.has_room(session.processor):
            with picture_place:
                show_faces_to_pull(pack)
    with settings_place:
        offer_clean_view()
        st.caption("Frames are read and forgotten: nothing is stored unless you download it.")
