// The clean view: while the video plays, its frame shows the picture alone. The component has no setting for that, so
// this reaches into its frame, which comes from the same address. A pointer over the picture brings the buttons back.
const CHECK_EVERY_MS = 500;
const STYLE = `
  body.emojify-plays {margin: 0; overflow: hidden}
  body.emojify-plays button {opacity: 0; position: fixed; bottom: 8px; left: 8px; z-index: 2; transition: opacity .2s}
  body.emojify-plays:hover button {opacity: .8}
  body.emojify-plays video {position: fixed; inset: 0; width: 100vw; height: 100vh; object-fit: contain}
`;

export default function () {
  const look = () => {
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
      if (plays) {
        const shape = video.videoWidth / video.videoHeight;
        const width = Math.min(window.innerWidth, window.innerHeight * shape);
        frame.style.setProperty("width", `${width}px`, "important");
        frame.style.setProperty("height", `${width / shape}px`, "important");
      }
    }
  };
  look();
  const timer = setInterval(look, CHECK_EVERY_MS);
  return () => clearInterval(timer);
}
