"""The environment, read once into one frozen value. Secrets may come as `…_FILE`."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NoReturn

from app.proof.verifier import NotVerified, VerifierKey
from app.whole_file import write_once

DEFAULT_DATA_DIR: Final = Path(".casebook")


class SettingsMissing(Exception):
    """A setting that this command needs isn't there; the text says which and how to give it."""


@dataclass(frozen=True)
class Settings:
    """Where the record, the keys and the secrets are, and how people reach the service.

    Database URLs are libpq connection strings. `secret_key` signs nothing that is kept for good: it keys
    sign-in names and request digests. `log_key_file` and `checkpoint_file` are the anchor's, and `log_vkey`
    the key's public half, for those who check; while keys change, `next_log_key_file` signs beside it.
    `witness_keys` are the public keys of witnesses, parted by spaces or lines, and `checkpoint_mail` the
    addresses that get each day's checkpoint. The anchor signs packs at `signer_listen`, host:port, for those
    who know it as `signer_url` and know `signer_token`. `destroyed_file` lists the keys of what was erased,
    outside both databases. `smtp_url` is smtp://[user:password@]host:port or file:FOLDER; without it only a
    demo has a folder of its own. `trusted_proxies` is how many servers of ours stand in front, each saying
    whom it speaks for.
    """

    database_url: str
    keys_database_url: str
    kek_file: Path
    secret_key: str
    origin: str
    data_dir: Path
    base_url: str = "http://127.0.0.1:8000"
    migrate_database_url: str | None = None
    migrate_keys_database_url: str | None = None
    log_key_file: Path | None = None
    log_vkey: str | None = None
    checkpoint_file: Path | None = None
    next_log_key_file: Path | None = None
    witness_keys: str = ""
    checkpoint_mail: tuple[str, ...] = ()
    signer_url: str | None = None
    signer_token: str = ""
    signer_listen: str | None = None
    destroyed_file: Path | None = None
    smtp_url: str | None = None
    trusted_proxies: int = 0
    demo: bool = False

    @property
    def secure_cookies(self) -> bool:
        """Whether the browser may send cookies over TLS alone."""
        return self.base_url.startswith("https://")


def data_dir(env: Mapping[str, str] = os.environ) -> Path:
    """The folder of an embedded record and of its secrets."""
    return Path(env.get("CASEBOOK_DATA_DIR") or DEFAULT_DATA_DIR).resolve()


def from_environment(env: Mapping[str, str] = os.environ) -> Settings:
    """Settings of a server, whose databases are named by the environment. Raises SettingsMissing."""

    def need(name: str) -> str:
        value = _get(env, name)
        if not value:
            raise SettingsMissing(f"Set CASEBOOK_{name} (or CASEBOOK_{name}_FILE).")
        return value

    found = Settings(
        database_url=need("DATABASE_URL"),
        keys_database_url=need("KEYS_DATABASE_URL"),
        kek_file=Path(env.get("CASEBOOK_KEK_FILE") or _missing("KEK_FILE")),
        secret_key=need("SECRET_KEY"),
        origin=env.get("CASEBOOK_ORIGIN") or _missing("ORIGIN"),
        data_dir=data_dir(env),
        base_url=env.get("CASEBOOK_BASE_URL", Settings.base_url),
        migrate_database_url=_get(env, "MIGRATE_DATABASE_URL"),
        migrate_keys_database_url=_get(env, "MIGRATE_KEYS_DATABASE_URL"),
        log_key_file=_path(env, "LOG_KEY_FILE"),
        log_vkey=_get(env, "LOG_VKEY") or None,
        checkpoint_file=_path(env, "CHECKPOINT_FILE"),
        destroyed_file=_path(env, "DESTROYED_FILE"),
        smtp_url=_get(env, "SMTP_URL") or None,
        trusted_proxies=_count(env, "TRUSTED_PROXIES"),
    )
    return with_outsiders(found, env)


def for_anchor(env: Mapping[str, str] = os.environ) -> Settings:
    """Settings of the anchor, which knows no key of what is sealed. Raises SettingsMissing."""
    found = Settings(
        database_url=_get(env, "DATABASE_URL") or _missing("DATABASE_URL"),
        keys_database_url="",
        kek_file=Path(),
        secret_key="",
        origin=env.get("CASEBOOK_ORIGIN", ""),
        data_dir=data_dir(env),
        log_key_file=_path(env, "LOG_KEY_FILE") or _missing("LOG_KEY_FILE"),
        log_vkey=_get(env, "LOG_VKEY") or None,
        checkpoint_file=_path(env, "CHECKPOINT_FILE") or _missing("CHECKPOINT_FILE"),
        smtp_url=_get(env, "SMTP_URL") or None,
    )
    return with_outsiders(found, env)


def with_outsiders(settings: Settings, env: Mapping[str, str] = os.environ) -> Settings:
    """The same with those outside who hold checkpoints, and the anchor's door. Raises SettingsMissing."""
    keys = _get(env, "WITNESS_KEYS") or ""
    for key in keys.split():
        try:
            VerifierKey.parse(key)
        except NotVerified as error:
            raise SettingsMissing(f"CASEBOOK_WITNESS_KEYS: {error.where}.") from None
    return replace(
        settings,
        next_log_key_file=_path(env, "NEXT_LOG_KEY_FILE"),
        witness_keys=keys,
        checkpoint_mail=tuple((_get(env, "CHECKPOINT_MAIL") or "").split()),
        signer_url=env.get("CASEBOOK_SIGNER_URL") or None,
        signer_token=_get(env, "SIGNER_TOKEN") or "",
        signer_listen=env.get("CASEBOOK_SIGNER_LISTEN") or None,
    )


def secret_in(folder: Path, name: str) -> str:
    """A random secret kept in a file that only its owner can read; made the first time."""
    path = folder / name
    if not path.exists():
        # Another process may make it at the same moment: the first one's counts.
        with suppress(FileExistsError):
            write_once(path, secrets.token_urlsafe(32).encode())
    return path.read_text().strip()


def _get(env: Mapping[str, str], name: str) -> str | None:
    if env.get(f"CASEBOOK_{name}"):
        return env[f"CASEBOOK_{name}"]
    path = env.get(f"CASEBOOK_{name}_FILE")
    return Path(path).read_text().strip() if path else None


def _path(env: Mapping[str, str], name: str) -> Path | None:
    text = env.get(f"CASEBOOK_{name}")
    return Path(text) if text else None


def _count(env: Mapping[str, str], name: str) -> int:
    text = env.get(f"CASEBOOK_{name}") or "0"
    if not text.isascii() or not text.isdecimal() or len(text) > 2:
        raise SettingsMissing(f"CASEBOOK_{name} is a small whole number.")
    return int(text)


def _missing(name: str) -> NoReturn:
    raise SettingsMissing(f"Set CASEBOOK_{name}.")
