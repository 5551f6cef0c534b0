"""Video files: read, emojified with a look ahead, written; and the work of the videos page."""

import cv2

# FFmpeg has threads of its own; OpenCV's pool beside them makes it slower, on a busy machine several times.
cv2.setNumThreads(1)
