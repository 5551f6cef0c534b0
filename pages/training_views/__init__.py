"""The four views of the training page."""
