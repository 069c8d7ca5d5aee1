"""What the embedded database says when it can't do what was asked."""


class EmbeddedError(Exception):
    """A sentence for the person at the keyboard: what is wrong, and what to do about it."""
