"""Public copies in several processes behind nginx: their configuration files, and how many sessions each serves."""
