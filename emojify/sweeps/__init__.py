"""Many fits with different settings, as trials of Ray Tune: on this machine or on a cluster.

Ray is an optional dependency, see ``requirements-cluster.txt``. Only functions of this package import it.
"""
