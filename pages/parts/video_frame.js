// Twice a second, checks the iframe of the video component:
// - If the camera does not start, the component shows "NotAllowedError: Permission denied" and the server gets no
//   message. This script hides that and shows what to do, in plain words.
// - The component sets the height of its iframe once, when the video can play. A picture that changes its shape later,
//   as in the style "Side by side", would be cut off or leave a gap. Repeating the event makes it measure again.
// - A browser may refuse to play a video by itself, as an iPhone does in low power mode. The browser's own controls are
//   shown until it plays.
const ADVICE = {
  NotAllowedError:
    "The camera was refused. Click the camera icon in the address bar, allow it for this page, then press Start again.",
  NotFoundError: "There is no camera here. Connect one and press Start again, or switch to Photo above.",
  NotReadableError:
    "The camera is in use: another program or tab has it. Close that one, then press Start again.",
  OverconstrainedError: "This camera does not support the requested video. Pick another one with Choose camera.",
  AbortError: "The camera stopped while it was starting. Press Start again.",
  "is undefined":
    "Browsers only allow the camera over HTTPS. Open the app at http://localhost or an https address.",
  "taking longer":
    "The video takes unusually long to connect. Wait a little. If nothing comes, try another network: some block live video.",
};
const OTHER_ADVICE = "The camera did not start. Reload this page, then press Start again.";
const CHECK_INTERVAL_MS = 500;

export default function (component) {
  const place = component.parentElement.querySelector(".advice");
  const check = () => {
    let advice = "";
    for (const frame of document.querySelectorAll('iframe[title*="webrtc_streamer"]')) {
      const page = frame.contentDocument;
      const alert = page?.querySelector('[role="alert"]');
      if (alert?.textContent) {
        const known = Object.keys(ADVICE).find((error) => alert.textContent.includes(error));
        advice = ADVICE[known] ?? OTHER_ADVICE;
        alert.style.display = "none";
      }
      const video = page?.querySelector("video");
      if (video) {
        video.playsInline = true;
        video.controls = video.paused && Boolean(video.srcObject);
      }
      if (video?.videoWidth && Math.abs(page.body.scrollHeight - frame.clientHeight) > 2) {
        video.dispatchEvent(new Event("canplay"));
      }
    }
    if (place.textContent !== advice) {
      place.textContent = advice;
      place.hidden = !advice;
    }
  };
  check();
  const timer = setInterval(check, CHECK_INTERVAL_MS);
  return () => clearInterval(timer);
}
