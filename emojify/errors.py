"""The exception for mistakes that the user can correct."""


class EmojifyError(Exception):
    """Something that the user can correct. The message is one or more sentences: what is wrong, and what to do.

    Pages show the message instead of a traceback; the command line prints it and exits with status 2.
    """
