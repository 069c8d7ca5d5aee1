"""The same commands and reads as the pages, as JSON for programs."""

from flask import Flask


def register(app: Flask) -> None:
    """Put the API at /api/v1."""
