"""Training: the only wing that imports TensorFlow. It runs in a process of its own, never in the app's."""

import os

# TensorFlow uses oneDNN's convolutions by itself only where the CPU has AVX-512. On AVX2 they are a third faster too:
# 111 pictures a second of one core's time instead of 84 (seed network, batch 64). Read when TensorFlow is imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
