// Plays the two videos of the page in step, and jumps to a moment, for pages/parts/video_result.py.
const FAR_S = 0.15; // after a pause or a jump
const DRIFT_S = 0.3; // while both play: each correction interrupts the follower for a moment

let lastJump = 0;

function follow(leader, follower) {
  const catchUp = () => {
    if (Math.abs(follower.currentTime - leader.currentTime) > FAR_S) {
      follower.currentTime = leader.currentTime;
    }
  };
  const listeners = {
    play: () => { catchUp(); follower.play().catch(() => {}); },
    pause: () => { follower.pause(); catchUp(); },
    seeking: catchUp,
    ratechange: () => { follower.playbackRate = leader.playbackRate; },
  };
  for (const [event, listener] of Object.entries(listeners)) {
    leader.addEventListener(event, listener);
  }
  return () => {
    for (const [event, listener] of Object.entries(listeners)) {
      leader.removeEventListener(event, listener);
    }
  };
}

function correctDrift(leader, follower) {
  const correct = () => {
    const isFar = Math.abs(follower.currentTime - leader.currentTime) > DRIFT_S;
    if (isFar && !leader.paused && !leader.seeking && !follower.seeking) {
      follower.currentTime = leader.currentTime;
    }
  };
  leader.addEventListener("timeupdate", correct);
  return () => leader.removeEventListener("timeupdate", correct);
}

function connect({ start_s: startS, jump }) {
  const [before, after] = document.querySelectorAll("video");
  if (startS !== null && jump !== lastJump) {
    before.currentTime = after.currentTime = startS;
  }
  lastJump = jump;
  before.muted = true; // one sound is enough
  return [follow(before, after), follow(after, before), correctDrift(after, before)];
}

export default function ({ data }) {
  let ends = [];
  let tries = 0;
  // Streamlit loads its video element when a page needs it for the first time.
  const timer = setInterval(() => {
    tries += 1;
    if (document.querySelectorAll("video").length === 2) {
      ends = connect(data);
      clearInterval(timer);
    } else if (tries === 100) {
      clearInterval(timer); // a GIF is no video
    }
  }, 50);
  return () => {
    clearInterval(timer);
    ends.forEach((end) => end());
  };
}
