"""Sign notes and checkpoints (C2SP signed-note and tlog-cosignature) with Ed25519."""

from base64 import b64encode
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.proof.verifier import ED25519, VerifierKey


class Signs(Protocol):
    """What signs in a name, wherever its secret half is."""

    @property
    def name(self) -> str:
        """In whose name."""

    @property
    def verifier_key(self) -> VerifierKey:
        """The public half."""

    def sign(self, text: str) -> str:
        """A signature line for a text that ends with a line end."""


@dataclass(frozen=True)
class SigningKey:
    """A key that signs in a name: the record's own, or a witness's. `seed` is 32 secret bytes."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def verifier_key(self) -> VerifierKey:
        """The public half, to be handed to whoever will check."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()
        return VerifierKey(self.name, ED25519, public)

    def sign(self, text: str) -> str:
        """A signature line for a text that ends with a line end."""
        return self._line(self.verifier_key, text.encode())

    def cosign(self, text: str, time: int) -> str:
        """A signature line for a text as it was seen at `time`, in seconds since 1970 (cosignature/v1)."""
        signed = f"cosignature/v1\ntime {time}\n{text}".encode()
        return self._line(self.verifier_key.timed, signed, time.to_bytes(8, "big"))

    def _line(self, key: VerifierKey, signed: bytes, before: bytes = b"") -> str:
        signature = Ed25519PrivateKey.from_private_bytes(self.seed).sign(signed)
        encoded = b64encode(key.key_id + before + signature).decode()
        return f"— {self.name} {encoded}\n"


def signed_note(text: str, *lines: str) -> bytes:
    """A note: its text, an empty line, and the lines of those who signed."""
    return (text + "\n" + "".join(lines)).encode()
