"""The avatar maker: choose, save, wear; and the live face that follows an expression."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage
from playwright.sync_api import Browser, Page, Playwright, Route, WebSocketRoute, expect
from skimage import data
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState

from emojify.emotions import LABELS, Emotion
from emojify.packs.drawing.appearance import Hair, HairColor, Person, Skin
from emojify.packs.pack import EmojiPack
from emojify.settings import ROOT
from tests.helpers.browser import (
    TIMEOUT_MS,
    expected_face,
    face_region,
    launch_chromium,
    read_video_frame,
    run_app,
    start,
)
from tests.helpers.stores import write_model


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A writable copy of ``emojis/``."""
    return Path(shutil.copytree(ROOT / "emojis", tmp_path_factory.mktemp("store") / "emojis"))


@pytest.fixture(scope="module")
def url(store: Path) -> Iterator[str]:
    with run_app(EMOJIFY_EMOJIS=str(store)) as url:
        yield url


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(url)
    page.get_by_role("link", name="Make an avatar").click(timeout=TIMEOUT_MS)
    expect(page.get_by_alt_text("Your avatar, happy", exact=True)).to_be_visible(timeout=TIMEOUT_MS)
    yield page
    context.close()


def choose(page: Page, question: str, word: str) -> None:
    choice = page.get_by_role("radiogroup", name=question, exact=True).get_by_role("radio", name=word)
    choice.click(timeout=TIMEOUT_MS)
    expect(choice).to_be_checked(timeout=TIMEOUT_MS)


def test_avatar_is_saved_and_worn(page: Page, store: Path, camera_file: Path) -> None:
    before = page.get_by_alt_text("Your avatar, sad, small").get_attribute("src")
    choose(page, "Skin", "Ebony")
    choose(page, "Hair", "Long")
    choose(page, "Hair color", "Teal")
    expect(page.get_by_alt_text("Your avatar, sad, small")).not_to_have_attribute("src", str(before))
    for label in LABELS:
        expect(page.get_by_alt_text(f"Your avatar, {label}, small")).to_be_visible()

    page.get_by_label("Name", exact=True).fill("Teal me")
    page.get_by_role("button", name="Save as a pack").click()
    expect(page.get_by_text("among the emoji packs now")).to_be_visible(timeout=TIMEOUT_MS)
    pack = EmojiPack.load(store / "teal-me")
    assert pack.avatar is not None
    assert pack.avatar.person == Person(skin=Skin.EBONY, hair=Hair.LONG, hair_color=HairColor.TEAL)

    page.get_by_role("button", name="See it on your face").click()
    expect(page).to_have_url(re.compile(r"/\?pack=Teal(\+|%20)me$"), timeout=TIMEOUT_MS)
    start(page)
    rows, columns = face_region(camera_file)
    wanted = expected_face(pack, Emotion.HAPPY, rows.stop - rows.start)
    difference = 255.0
    for _ in range(40):
        seen = cv2.blur(read_video_frame(page)[rows, columns].astype(np.float32), (9, 9))
        difference = float(np.abs(seen - wanted).mean())
        if difference < 30:
            break
        page.wait_for_timeout(250)
    assert difference < 30, f"the face does not look like the avatar's happy one: {difference:.0f}"


def test_random_avatar_can_be_downloaded(page: Page) -> None:
    large = page.get_by_alt_text("Your avatar, happy", exact=True)
    before = str(large.get_attribute("src"))
    page.get_by_role("button", name="Random").click()
    expect(large).not_to_have_attribute("src", before, timeout=TIMEOUT_MS)
    page.get_by_role("button", name="surprised", exact=True).click()
    expect(page.get_by_alt_text("Your avatar, surprised", exact=True)).to_be_visible(timeout=TIMEOUT_MS)
    with page.expect_download(timeout=TIMEOUT_MS) as download:
        page.get_by_role("button", name="Picture").click()
    picture = PillowImage.open(BytesIO(Path(download.value.path()).read_bytes()))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (1024, 1024))


def test_choices_survive_a_page_change(page: Page) -> None:
    choose(page, "Hat", "Crown")
    page.get_by_role("link", name="Live").click()
    expect(page.get_by_role("heading", name="Emojify")).to_be_visible(timeout=TIMEOUT_MS)
    page.get_by_role("link", name="Make an avatar").click()
    crown = page.get_by_role("radiogroup", name="Hat", exact=True).get_by_role("radio", name="Crown")
    expect(crown).to_be_checked(timeout=TIMEOUT_MS)


def wait_until(page: Page, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while not condition():
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


def test_left_page_does_not_call_the_user_back(browser: Browser, url: str) -> None:
    """On a slow connection the live page's video reports that it has loaded after the user's next click."""
    requests: list[ClientState] = []
    delayed: list[str | bytes] = []
    sockets: list[WebSocketRoute] = []
    components: list[Route] = []
    slow = False

    def listen(socket: WebSocketRoute) -> None:
        def forward(message: str | bytes) -> None:
            assert isinstance(message, bytes)
            requests.append(BackMsg.FromString(message).rerun_script)
            server.send(message)

        server = socket.connect_to_server()
        socket.on_message(forward)
        server.on_message(lambda message: delayed.append(message) if slow else socket.send(message))
        sockets.append(socket)

    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.route_web_socket(re.compile("/_stcore/stream"), listen)
    page.route(re.compile(r"/component/streamlit_webrtc.*/index\.html"), lambda component: components.append(component))
    page.goto(url)
    wait_until(page, lambda: bool(components))  # the page has the component, which asks for its files
    slow = True
    before = len(requests)
    page.get_by_role("link", name="Make an avatar").click()
    for component in components:
        component.continue_()
    wait_until(page, lambda: len(requests) >= before + 2)
    click, report = requests[before : before + 2]
    assert report.page_script_hash != click.page_script_hash
    page.wait_for_timeout(1000)  # time for the server to respond
    slow = False
    for message in delayed:
        sockets[0].send(message)
    expect(page.get_by_alt_text("Your avatar, happy", exact=True)).to_be_visible(timeout=TIMEOUT_MS)
    expect(page).to_have_url(f"{url}/avatar_maker")
    choose(page, "Hat", "Crown")  # the server handles input on the new page
    context.close()


@pytest.fixture
def changing_camera_file(tmp_path: Path) -> Path:
    """The astronaut, darker and brighter again within three seconds: the tiny model reads happy, then neutral."""
    path = tmp_path / "moody.y4m"
    image = cv2.resize(data.astronaut()[:384, :512, ::-1], (640, 480), interpolation=cv2.INTER_CUBIC)
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H480 F30:1 Ip C420jpeg\n")
        for light in np.interp(np.arange(90), [0, 45, 90], [1.0, 0.82, 1.0]):
            frame = cv2.cvtColor((image * light).astype(np.uint8), cv2.COLOR_BGR2YUV_I420)
            file.write(b"FRAME\n" + frame.tobytes())
    return path


def blends(shares: list[float]) -> bool:
    """Return True if both expressions and at least three steps between them were seen."""
    between = {round(share, 1) for share in shares if 0.25 < share < 0.75}
    return bool(shares) and min(shares) < 0.3 and max(shares) > 0.7 and len(between) >= 3


def test_live_avatar_blends_between_expressions(
    playwright: Playwright,
    chromium: str,
    changing_camera_file: Path,
    camera_file: Path,
    tmp_path: Path,
    tiny_model: bytes,
) -> None:
    write_model(tmp_path / "models" / "seed", tiny_model)
    rows, columns = face_region(camera_file)
    pack = EmojiPack.load(ROOT / "emojis" / "person")
    calm, happy = (expected_face(pack, emotion, rows.stop - rows.start) for emotion in (Emotion.NEUTRAL, Emotion.HAPPY))
    way = happy - calm
    with (
        run_app(EMOJIFY_MODELS=str(tmp_path / "models")) as url,
        launch_chromium(playwright, chromium, changing_camera_file) as browser,
    ):
        page = browser.new_page()
        page.goto(f"{url}/?pack=Person")
        start(page)
        shares: list[float] = []  # of the way from neutral to happy
        while len(shares) < 200 and not blends(shares):
            seen = cv2.blur(read_video_frame(page)[rows, columns].astype(np.float32), (9, 9))
            shares.append(float(((seen - calm) * way).sum() / (way * way).sum()))
            page.wait_for_timeout(50)
    assert blends(shares), shares
