"""Video files: read, emojified with a look ahead, written; and the work of the videos page."""
