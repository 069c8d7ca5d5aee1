"""What a reader may see of what was recorded about one subject, for pages and API alike."""

from app.history.entries import ERASED_JSON, Correction, Dispute, Entry, Who, as_json, entries
from app.history.timeline import by_day
from app.history.visible import VISIBLE, Reader

__all__ = [
    "ERASED_JSON",
    "VISIBLE",
    "Correction",
    "Dispute",
    "Entry",
    "Reader",
    "Who",
    "as_json",
    "by_day",
    "entries",
]
