"""Live video: the processor of frames, the taps that record them, and the WebRTC connection."""
