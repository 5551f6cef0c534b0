"""Teach it your face: pictures of oneself, and a small branch of a model fitted to them. No TensorFlow in here."""
