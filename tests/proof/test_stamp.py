"""A time stamp by an authority that this test runs itself, with openssl, on loopback."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from shutil import which
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.proof.note import SigningKey, signed_note
from app.proof.stamp import NotStamped, stamp
from app.proof.verifier import Checkpoint

pytestmark = pytest.mark.skipif(which("openssl") is None, reason="openssl plays the authority")

KEY = SigningKey("casebook.example/school", bytes(range(32)))
CONFIG = """
[tsa]
default_tsa = it
[it]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


def note(size: int = 5, log: str = "") -> bytes:
    text = str(Checkpoint(KEY.name + log, size, bytes(32)))
    return signed_note(text, KEY.sign(text))


@dataclass
class Authority:
    """A time-stamping authority. `instead` is what it answers in place of a stamp; `asked`, what came."""

    folder: Path
    address: str = ""
    instead: bytes | None = None
    other: bytes | None = None
    asked: list[bytes] = field(default_factory=list)

    def answer(self, query: bytes) -> bytes:
        self.asked.append(query)
        if self.instead is not None:
            return self.instead
        (self.folder / "query.tsq").write_bytes(self.other or query)
        command = [
            "openssl",
            "ts",
            "-reply",
            "-config",
            "tsa.cnf",
            "-queryfile",
            "query.tsq",
            "-out",
            "out.tsr",
        ]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=30)
        return (self.folder / "out.tsr").read_bytes()


def certify(folder: Path) -> None:
    """A root, and a stamping key that it signed."""
    now = datetime.now(UTC)
    ca_key, tsa_key = (rsa.generate_private_key(65537, 2048) for _ in range(2))

    def made(name: str, key: rsa.RSAPrivateKey, *, ca: bool) -> x509.Certificate:
        called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root")])
        builder = (
            x509.CertificateBuilder(root, called, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=9))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(ca_key, hashes.SHA256())

    for name, certificate in (
        ("ca.pem", made("Root", ca_key, ca=True)),
        ("tsa.pem", made("Authority", tsa_key, ca=False)),
    ):
        (folder / name).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "tsa.key").write_bytes(
        tsa_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIG)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    folder = tmp_path_factory.mktemp("authority")
    certify(folder)
    authority = Authority(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/timestamp-query"
            answer = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing on stderr."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        authority.address = f"http://127.0.0.1:{server.server_port}/tsr"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield authority
        server.shutdown()
        thread.join()


@pytest.fixture
def authority(serving: Authority) -> Authority:
    serving.instead = serving.other = None
    serving.asked.clear()
    return serving


def test_a_stamp_is_kept_beside_what_it_is_of_and_openssl_verifies_it(
    authority: Authority, tmp_path: Path
) -> None:
    made = stamp(note(), authority.address, tmp_path, authority.folder / "ca.pem")
    assert abs(made.at - datetime.now(UTC)) < timedelta(minutes=5)
    assert made.answer == tmp_path / "checkpoint-5.tsr"
    assert made.note.read_bytes() == note()
    command = ["openssl", "ts", "-verify", "-data", str(made.note), "-in", str(made.answer)]
    ran = subprocess.run(
        [*command, "-CAfile", str(authority.folder / "ca.pem")], capture_output=True, timeout=30, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert stamp(note(2, "/reads"), authority.address, tmp_path).answer.name == "checkpoint-reads-2.tsr"


def test_nothing_but_a_digest_leaves_the_house(authority: Authority, tmp_path: Path) -> None:
    stamp(note(), authority.address, tmp_path)
    [query] = authority.asked
    assert sha256(note()).digest() in query
    assert b"casebook" not in query
    assert len(query) < 100


def test_what_is_not_a_stamp_of_this_is_not_kept(authority: Authority, tmp_path: Path) -> None:
    stamp(note(), authority.address, tmp_path)
    earlier = authority.asked[0]
    kept = {path: path.read_bytes() for path in tmp_path.iterdir()}
    stranger = tmp_path.with_name("stranger")
    stranger.mkdir()
    certify(stranger)
    refused = (authority.folder / "out.tsr").read_bytes()
    for instead, root, address in (
        (b"", None, authority.address),
        (b"<html>", None, authority.address),
        # A stamp of another day's query, of another text, and one whose last byte is changed.
        (refused, None, authority.address),
        (refused[:-1] + bytes([refused[-1] ^ 1]), authority.folder / "ca.pem", authority.address),
        (b"x" * (256 * 1024 + 1), None, authority.address),
        (None, stranger / "ca.pem", authority.address),
        (None, None, "http://127.0.0.1:1/"),
        (None, None, "file:///etc/hostname"),
    ):
        authority.instead = instead
        with pytest.raises(NotStamped):
            stamp(note(), address, tmp_path, root)
    authority.instead, authority.other = None, earlier
    with pytest.raises(NotStamped, match="something else"):
        stamp(note(6), authority.address, tmp_path)
    authority.other = earlier[:-1]
    with pytest.raises(NotStamped):
        stamp(note(), authority.address, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == kept
