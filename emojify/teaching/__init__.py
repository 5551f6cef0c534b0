"""Teach it your face: pictures of oneself, and a model's last layer fitted to them. No TensorFlow in here."""
