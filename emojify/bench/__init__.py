"""Measurements of live video on this machine."""
