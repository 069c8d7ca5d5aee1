"""What every answer tells the browser: nothing from elsewhere, nothing kept, nothing in a frame."""

from io import BytesIO
from typing import IO, Any, Final

from flask import Flask, Request, Response, request
from flask.sessions import SessionInterface

MOST_BYTES: Final = 256 * 1024
LONG_STORIES: Final = frozenset({"/worried", "/worried/sign-in"})
"""Where a child's story may be as long as it is."""
MOST_OF_A_STORY: Final = 8 * 1024 * 1024
"""Far more than anybody types; the limit for other forms would refuse a long story."""

_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class InMemory(Request):
    """A request whose uploads never reach a disk: no page asks for files, and their words would lie there."""

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        return BytesIO()


class NoSession(SessionInterface):
    """No cookie of Flask's own: who is signed in stands in the database, and no page keeps anything else."""

    def open_session(self, app: Flask, request: Request) -> None:
        """Nothing; whoever wants to keep something there is told so by Flask."""


def secure(app: Flask, *, over_tls: bool) -> None:
    """Put the headers on every answer of this app, and bound the size of what it takes."""
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.config["SESSION_COOKIE_SECURE"] = over_tls
    app.request_class = InMemory
    app.session_interface = NoSession()

    always = _HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if over_tls else {})

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.extend(always)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response
