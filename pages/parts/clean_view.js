// The clean view: while the video plays, its iframe shows the picture alone. The component has no setting for that, so
// this script changes the iframe's page, which has the same origin. Hovering over the picture shows Stop again.
const CHECK_INTERVAL_MS = 500;
const STYLE = `
  body.emojify-plays {margin: 0; overflow: hidden}
  body.emojify-plays button {display: none}
  body.emojify-plays:hover button.emojify-stop {display: block; position: fixed; bottom: 8px; left: 8px; z-index: 2}
  body.emojify-plays video {position: fixed; inset: 0; width: 100vw; height: 100vh; object-fit: contain}
`;

export default function () {
  const update = () => {
    for (const frame of document.querySelectorAll('iframe[title*="webrtc_streamer"]')) {
      const page = frame.contentDocument;
      if (!page?.body) continue;
      if (!page.getElementById("emojify-clean")) {
        const style = page.createElement("style");
        style.id = "emojify-clean";
        style.textContent = STYLE;
        page.head.append(style);
      }
      const video = page.querySelector("video");
      const plays = Boolean(video?.videoWidth);
      page.body.classList.toggle("emojify-plays", plays);
      for (const button of page.querySelectorAll("button")) {
        button.classList.toggle("emojify-stop", button.textContent === "Stop");
      }
      if (plays) {
        const shape = video.videoWidth / video.videoHeight;
        const width = Math.min(window.innerWidth, window.innerHeight * shape);
        frame.style.setProperty("width", `${width}px`, "important");
        frame.style.setProperty("height", `${width / shape}px`, "important");
      }
    }
  };
  update();
  const timer = setInterval(update, CHECK_INTERVAL_MS);
  return () => clearInterval(timer);
}
