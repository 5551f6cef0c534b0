"""Fits on a Ray cluster. A process here follows each fit and keeps its run folder up to date."""
