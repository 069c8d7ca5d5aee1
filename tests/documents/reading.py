"""Read a PDF as people and programs do: its text, its pages as pictures, what it says of itself."""

import io
from typing import Any

import pikepdf
import pypdfium2


def text_of(pdf: bytes) -> str:
    """What can be selected and read aloud, in one line."""
    with pypdfium2.PdfDocument(pdf) as document:
        pages = [page.get_textpage().get_text_bounded() for page in document]
    return " ".join(" ".join(pages).split())


def pictures_of(pdf: bytes, *, dots_per_inch: int = 200) -> list[Any]:
    """Each page as it is printed."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.render(scale=dots_per_inch / 72).to_pil() for page in document]


def check_archive(pdf: bytes) -> pikepdf.Pdf:
    """Check what an archive and a screen reader ask for, and give the opened file.

    The whole of both standards is the layout program's to keep: it refuses what doesn't fit them.
    """
    opened = pikepdf.open(io.BytesIO(pdf))
    with opened.open_metadata() as metadata:
        assert metadata.pdfa_status == "3A"
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"]
    root = opened.Root
    assert root.MarkInfo.Marked
    assert root.StructTreeRoot.K is not None
    assert root.Lang == "en-GB"
    assert root.ViewerPreferences.DisplayDocTitle
    assert {"/OpenAction", "/AA"}.isdisjoint(root.keys())
    assert "/JavaScript" not in root.get("/Names", {})
    return opened
