"""What a reader may see of what was recorded about one subject, for pages and API alike."""

from app.history.entries import Correction, Dispute, Entry, Told, Who, as_json, entries
from app.history.timeline import by_day
from app.history.visible import VISIBLE, Reader

__all__ = [
    "VISIBLE",
    "Correction",
    "Dispute",
    "Entry",
    "Reader",
    "Told",
    "Who",
    "as_json",
    "by_day",
    "entries",
]
