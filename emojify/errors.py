"""The one exception for mistakes that a person can make and mend."""


class EmojifyError(Exception):
    """Something a person can put right. The message says what is wrong and what to do.

    Pages show the message in place of a traceback; the command line prints it and exits with 2.
    """
