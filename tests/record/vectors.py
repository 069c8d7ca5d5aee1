"""The record's bytes by example, made by another implementation than ours."""

import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any
from uuid import UUID

from app.record.data_key import DataKey

VECTORS: dict[str, Any] = json.loads(Path(__file__).parent.with_name("vectors.json").read_text("utf-8"))
EVENTS: list[dict[str, Any]] = VECTORS["events"]


def key_of(event: dict[str, Any]) -> DataKey:
    return DataKey(urlsafe_b64decode(event["kid"] + "=="), bytes.fromhex(event["data_key"]))


def place_of(event: dict[str, Any]) -> tuple[UUID, int, str]:
    return UUID(event["originator_id"]), event["originator_version"], event["topic"]
