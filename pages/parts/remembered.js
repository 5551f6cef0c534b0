// Keeps the live page's choices in this browser. The server asks for them once, and sends them back when they change.
const KEY = "emojify-choices";

export default function ({ data, setTriggerValue }) {
  let stored = null;
  try {
    if (data.choices) {
      localStorage.setItem(KEY, JSON.stringify(data.choices));
    } else {
      stored = localStorage.getItem(KEY);
    }
  } catch {
    // A browser that allows no storage remembers nothing.
  }
  if (!data.choices) {
    setTriggerValue("stored", stored ?? "{}");
  }
}
