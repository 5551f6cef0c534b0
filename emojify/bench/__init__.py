"""How fast this machine is at it: ``python -m emojify bench``."""
