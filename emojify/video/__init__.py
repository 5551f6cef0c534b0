"""Video files: reading, rendering with a look-ahead, writing, and the jobs of the videos page."""

import cv2

# FFmpeg has its own threads. OpenCV's pool next to them makes it slower, on a busy machine several times.
cv2.setNumThreads(1)
