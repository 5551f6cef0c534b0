// Keeps a text in this browser's storage, for pages/parts/browser_storage.py. Without a text it sends the stored one.
const MAX_MERGED = 60; // MAX_CHARACTERS of the Python module has room for them

function merged(list, name) {
  let stored = [];
  try {
    stored = JSON.parse(localStorage.getItem(name) ?? "[]");
  } catch {
    // Not written by this page: replace it.
  }
  return [...new Set([...list, ...(Array.isArray(stored) ? stored : [])])].slice(0, MAX_MERGED);
}

export default function ({ data, setTriggerValue }) {
  let stored = "";
  try {
    if (data.text === null) {
      stored = localStorage.getItem(data.name) ?? "";
    } else {
      const text = data.merge ? JSON.stringify(merged(JSON.parse(data.text), data.name)) : data.text;
      localStorage.setItem(data.name, text);
    }
  } catch {
    // A browser that allows no storage remembers nothing.
  }
  if (data.text === null) {
    setTriggerValue("stored", stored);
  }
}
