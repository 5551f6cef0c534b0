"""Live video: frames in, frames out, and the connection they travel on."""
