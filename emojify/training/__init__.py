"""Training. Only this package imports TensorFlow; it runs in processes of its own, never in the app's."""

import os

# By itself TensorFlow uses oneDNN's convolutions only where the CPU has AVX-512. On AVX2 they are a third faster too:
# 111 pictures a second on one core instead of 84 (network "seed", batch 64). The variable is read when TensorFlow is
# imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
