// Keeps a text in this browser's storage, for pages/parts/browser_storage.py. Without a text it sends the stored one.
export default function ({ data, setTriggerValue }) {
  let stored = "";
  try {
    if (data.text !== null) {
      localStorage.setItem(data.name, data.text);
    } else {
      stored = localStorage.getItem(data.name) ?? "";
    }
  } catch {
    // A browser that allows no storage remembers nothing.
  }
  if (data.text === null) {
    setTriggerValue("stored", stored);
  }
}
