"""One ciphertext that opens to two stories under two keys: AES-GCM alone doesn't commit to its key."""

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.proof.verifier import NotVerified, open_sealed, verify_pack
from app.record.base64url import from_base64url, to_base64url
from tests.proof.packs import ALL_EVENTS, ALL_KEYS, CONCERN, KEYS, resealed


def gf_multiply(x: int, y: int) -> int:
    product = 0
    for bit in range(127, -1, -1):
        if y >> bit & 1:
            product ^= x
        x = x >> 1 ^ (0xE1 << 120 if x & 1 else 0)
    return product


def gf_inverse(x: int) -> int:
    result, power = 1 << 127, x
    for _ in range(127):
        power = gf_multiply(power, power)
        result = gf_multiply(result, power)
    return result


def block_under(key: bytes, block: bytes) -> int:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 -- one block of GCM's insides
    return int.from_bytes(encryptor.update(block), "big")


def ghash(subkey: int, blocks: list[int]) -> int:
    found = 0
    for block in blocks:
        found = gf_multiply(found ^ block, subkey)
    return found


def blocks_of(data: bytes) -> list[int]:
    padded = data + bytes(-len(data) % 16)
    return [int.from_bytes(padded[at : at + 16], "big") for at in range(0, len(padded), 16)]


def opens_under_both(
    one: bytes, two: bytes, iv: bytes, header: bytes, ciphertext: bytes
) -> tuple[bytes, bytes]:
    """A ciphertext with one more block, and a tag, that are right under both keys."""
    subkeys = [block_under(key, bytes(16)) for key in (one, two)]
    masks = [block_under(key, iv + b"\0\0\0\1") for key in (one, two)]
    length = len(header) * 8 << 64 | (len(ciphertext) + 16) * 8
    known = [*blocks_of(header), *blocks_of(ciphertext)]
    # A tag is mask + rest + x * subkey², in which x is the added block: two equal tags tell x.
    rests = [
        mask ^ gf_multiply(gf_multiply(ghash(h, known), h), h) ^ gf_multiply(length, h)
        for h, mask in zip(subkeys, masks, strict=True)
    ]
    squares = [gf_multiply(h, h) for h in subkeys]
    x = gf_multiply(rests[0] ^ rests[1], gf_inverse(squares[0] ^ squares[1]))
    tag = rests[0] ^ gf_multiply(x, squares[0])
    return ciphertext + x.to_bytes(16, "big"), tag.to_bytes(16, "big")


def test_one_ciphertext_that_opens_under_two_keys_is_refused_under_the_second() -> None:
    state = ALL_EVENTS[4].state
    parts = state.split(b".")
    first, second = ALL_KEYS[f"{CONCERN}/1"], sha256(b"another story").digest()
    iv = from_base64url(parts[2])
    body, tag = opens_under_both(first, second, iv, parts[0], b"\0" * 32)
    stories = {AESGCM(key).decrypt(iv, body + tag, parts[0]) for key in (first, second)}
    assert len(stories) == 2
    forged_state = b".".join([parts[0], b"", parts[2], to_base64url(body), to_base64url(tag)])
    with pytest.raises(NotVerified) as caught:
        open_sealed(forged_state, second, str(CONCERN), 1, "concern.raised")
    assert caught.value.check == "key commitment"
    with pytest.raises(NotVerified) as caught:
        verify_pack(resealed(forged_state, second), KEYS)
    assert caught.value.check == "key commitment"
