// Looks after the frame in which the video component lives, from outside, twice a second:
// - A camera that does not start shows there as "NotAllowedError: Permission denied", and the server hears nothing
//   of it. This says in words what to do.
// - The component sets its frame's height once, when the video can play. A picture that changes its shape later,
//   as side by side does, would be cut off or leave a gap; the same event again makes it measure anew.
const ADVICE = {
  NotAllowedError:
    "The camera was refused. Click the camera sign in the address bar, allow it for this page, then press Start again.",
  NotFoundError: "There is no camera here. Plug one in and press Start again, or switch to Photo above.",
  NotReadableError:
    "The camera is busy: another program or tab has it. Close that one, then press Start again.",
  OverconstrainedError: "This camera cannot do what was asked of it. Choose another one under Choose camera.",
  AbortError: "The camera stopped while it was starting. Press Start again.",
  "is undefined":
    "The browser gives no camera to a page without HTTPS. Open the app as http://localhost or over https.",
};
const CHECK_EVERY_MS = 500;

export default function (component) {
  const place = component.parentElement.querySelector(".advice");
  const look = () => {
    let advice = "";
    for (const frame of document.querySelectorAll('iframe[title*="webrtc_streamer"]')) {
      const page = frame.contentDocument;
      const alert = page?.querySelector('[role="alert"]')?.textContent ?? "";
      advice = ADVICE[Object.keys(ADVICE).find((error) => alert.includes(error))] ?? advice;
      const video = page?.querySelector("video");
      if (video?.videoWidth && Math.abs(page.body.scrollHeight - frame.clientHeight) > 2) {
        video.dispatchEvent(new Event("canplay"));
      }
    }
    if (place.textContent !== advice) {
      place.textContent = advice;
      place.hidden = !advice;
    }
  };
  look();
  const timer = setInterval(look, CHECK_EVERY_MS);
  return () => clearInterval(timer);
}
