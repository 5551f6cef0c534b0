"""Many fits with different settings, as trials of Ray Tune on this machine.

Ray is an optional dependency, see ``requirements-cluster.txt``. It is imported when a sweep starts, not before.
"""
