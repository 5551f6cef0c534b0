"""One image in, readings out. Knows nothing of Streamlit, WebRTC or TensorFlow."""
