"""Where a command finds the record: the environment's databases, or the embedded one of a data directory."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.embedded import Embedded, attach
from app.embedded.facts import read_facts
from app.proof.log_key import create_log_key
from app.record.keys import create_kek
from app.settings import (
    Settings,
    SettingsMissing,
    data_dir,
    for_anchor,
    from_environment,
    secret_in,
    with_outsiders,
)

DEMO_ORIGIN: Final = "casebook.example/demo"
_KEPT_FILES: Final = {
    "LOG_KEY_FILE": "log-key",
    "CHECKPOINT_FILE": "checkpoints.txt",
    "DESTROYED_FILE": "destroyed-keys.txt",
}
_DATABASES: Final = ("DATABASE_URL", "KEYS_DATABASE_URL", "MIGRATE_DATABASE_URL")


def names_databases(env: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names any database; else Casebook brings its own."""
    return any(env.get(f"CASEBOOK_{name}") or env.get(f"CASEBOOK_{name}_FILE") for name in _DATABASES)


def settings_here(env: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a command beside a running demo or server. Raises SettingsMissing, EmbeddedError."""
    folder = data_dir(env)
    if names_databases(env):
        return _with_owner(from_environment(_with_kept_secrets(env, folder)))
    return embedded_settings(attach(folder), env)


def anchor_here(env: Mapping[str, str] = os.environ) -> Settings:
    """The settings of an anchor beside a demo or a server. Raises SettingsMissing, EmbeddedError."""
    folder = data_dir(env)
    if names_databases(env):
        return for_anchor(_with_kept_secrets(env, folder))
    return embedded_settings(attach(folder), env)


def embedded_settings(embedded: Embedded, env: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a demo with its own database; its secrets are made the first time."""
    folder = embedded.data_dir
    found = Settings(
        database_url=embedded.url("app"),
        keys_database_url=embedded.url("app", "casebook_keys"),
        migrate_database_url=embedded.url("owner"),
        migrate_keys_database_url=embedded.url("owner", "casebook_keys"),
        kek_file=_kek_in(folder),
        log_key_file=_log_key_in(folder),
        checkpoint_file=folder / _KEPT_FILES["CHECKPOINT_FILE"],
        destroyed_file=folder / _KEPT_FILES["DESTROYED_FILE"],
        secret_key=secret_in(folder, "secret-key"),
        origin=DEMO_ORIGIN,
        data_dir=folder,
        base_url=env.get("CASEBOOK_BASE_URL", Settings.base_url),
        smtp_url=env.get("CASEBOOK_SMTP_URL"),
        demo=True,
    )
    return with_outsiders(found, env)


def demo_settings(folder: Path, env: Mapping[str, str]) -> Settings:
    """The settings of a demo on the environment's databases; missing secrets are kept in `folder`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = dict(env)
    kept.setdefault("CASEBOOK_KEK_FILE", str(_kek_in(folder)))
    _log_key_in(folder)
    secret_in(folder, "secret-key")
    settings = _with_owner(from_environment(_with_kept_secrets(kept, folder)))
    origin = settings.origin if settings.origin.endswith("/demo") else f"{settings.origin}/demo"
    return replace(settings, origin=origin, demo=True)


def origin_of(settings: Settings) -> str:
    """The record's own name, as its database knows it. Raises psycopg.Error."""
    with psycopg.connect(settings.database_url, connect_timeout=10) as connection:
        row = connection.execute("SELECT origin FROM record.origin").fetchone()
    return row[0] if row else settings.origin


def why_not_a_server(settings: Settings) -> str | None:
    """Why a school's own record can't be served from here; None when it can."""
    host = conninfo_to_dict(settings.database_url).get("host")
    socket = Path(str(host)) if host and str(host).startswith("/") else None
    facts = read_facts(settings.data_dir)
    if socket and ((socket.parent / "embedded.json").exists() or (facts and facts.socket == str(socket))):
        return "An embedded database is for demonstrations: its keys lie beside it. Use a PostgreSQL server."
    kek = settings.kek_file.resolve()
    if kek.is_relative_to(settings.data_dir) or (kek.parent / "embedded.json").exists():
        return "The key-encryption key lies in the data directory. Keep it elsewhere: CASEBOOK_KEK_FILE."
    return None


def _kek_in(folder: Path) -> Path:
    path = folder / "kek"
    if not path.exists():
        create_kek(path)
    return path


def _log_key_in(folder: Path) -> Path:
    path = folder / "log-key"
    if not path.exists():
        create_log_key(path, DEMO_ORIGIN)
    return path


def _with_kept_secrets(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What a demo on the environment's databases made for itself, for commands beside it."""
    found = dict(env)
    if (folder / "kek").exists():
        found.setdefault("CASEBOOK_KEK_FILE", str(folder / "kek"))
        found.setdefault("CASEBOOK_ORIGIN", DEMO_ORIGIN)
        for name, file in _KEPT_FILES.items():
            found.setdefault(f"CASEBOOK_{name}", str(folder / file))
        if "CASEBOOK_SECRET_KEY" not in found and (folder / "secret-key").exists():
            found.setdefault("CASEBOOK_SECRET_KEY_FILE", str(folder / "secret-key"))
    return found


def _with_owner(settings: Settings) -> Settings:
    """Who migrates the keys' database: the owner of the record's, unless another is named."""
    demo = settings.origin.endswith("/demo")
    if settings.migrate_keys_database_url or not settings.migrate_database_url:
        return replace(settings, demo=demo)
    owner = conninfo_to_dict(settings.migrate_database_url)
    who = {name: owner[name] for name in ("user", "password") if owner.get(name)}
    url = make_conninfo(settings.keys_database_url, **who)
    return replace(settings, migrate_keys_database_url=url, demo=demo)


def owner_urls(settings: Settings) -> tuple[str, str]:
    """The URLs of both databases for whoever owns them. Raises SettingsMissing."""
    if not settings.migrate_database_url or not settings.migrate_keys_database_url:
        raise SettingsMissing("Set CASEBOOK_MIGRATE_DATABASE_URL: the role that owns the databases.")
    return settings.migrate_database_url, settings.migrate_keys_database_url
