// Keys of the live page: space takes a snapshot, f shows the video on the full screen, 1 to 9 choose a pack.
// Keys that are typed into a field, or that operate the focused button or list, keep their meaning.
const FIELDS = 'input, textarea, select, [contenteditable="true"], [role="listbox"], [role="slider"], [role="dialog"]';
const OPERATED_BY_SPACE = 'button, a, summary, video, [role="radio"], [role="checkbox"], [role="switch"], [role="option"]';

const showFullScreen = () => {
  const video = document.querySelector('iframe[title*="webrtc_streamer"]')?.contentDocument?.querySelector("video");
  if (document.fullscreenElement) {
    document.exitFullscreen();
  } else if (video?.requestFullscreen) {
    video.requestFullscreen().catch(() => {});
  } else {
    video?.webkitEnterFullscreen?.();  // an iPhone
  }
};

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const press = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest(FIELDS)) return;
    const number = Number(event.key);
    if (event.key === " " && !target.closest(OPERATED_BY_SPACE)) {
      event.preventDefault();  // the page does not scroll
      setTriggerValue("pressed", "snapshot");
    } else if (event.key.toLowerCase() === "f") {
      showFullScreen();
    } else if (number >= 1 && number <= data.packs) {
      setTriggerValue("pressed", `pack ${number}`);
    }
  };
  // The pages of the app and of the video component get keys separately, each while it has the focus.
  const frame = document.querySelector('iframe[title*="webrtc_streamer"]');
  const pages = [document, frame?.contentDocument].filter(Boolean);
  const button = parentElement.querySelector("button");
  button.addEventListener("click", showFullScreen);
  pages.forEach((page) => page.addEventListener("keydown", press));
  button.parentElement.classList.add("obeyed");
  return () => {
    button.removeEventListener("click", showFullScreen);
    pages.forEach((page) => page.removeEventListener("keydown", press));
  };
}
