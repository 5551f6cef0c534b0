// The video component shows a failed camera as "NotAllowedError: Permission denied" inside its own frame and
// tells the server nothing. This says in words what to do. It looks for the alert; it touches nothing.
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

export default function (component) {
  const place = component.parentElement.querySelector(".advice");
  const look = () => {
    let said = "";
    for (const frame of document.querySelectorAll('iframe[title*="webrtc_streamer"]')) {
      const alert = frame.contentDocument?.querySelector('[role="alert"]');
      const text = alert?.textContent ?? "";
      const known = Object.keys(ADVICE).find((key) => text.includes(key));
      if (known) said = ADVICE[known];
    }
    if (place.textContent !== said) {
      place.textContent = said;
      place.hidden = !said;
    }
  };
  look();
  const timer = setInterval(look, 500);
  return () => clearInterval(timer);
}
