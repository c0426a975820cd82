"""The error that a user can mend."""


class UserError(Exception):
    """Shown as one line without a traceback; the message names the thing, the value and the way out."""
