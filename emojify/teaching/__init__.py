"""Teach a model one person's face: store their pictures, and train a small branch of a model on them.

Nothing in this package imports TensorFlow.
"""
