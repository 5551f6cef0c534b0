"""Recognition: an image in, readings out. Imports neither Streamlit nor WebRTC nor TensorFlow."""
