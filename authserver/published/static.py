"""Style sheets and pictures of the pages, from memory. Their address carries a version, so they never change."""

import mimetypes
from pathlib import Path
from typing import Final

from authserver.published.documents import Document, document

FOREVER: Final = "public, max-age=31536000, immutable"


def static_documents(folder: Path, **made: bytes) -> dict[str, Document]:
    """Answer a document for each file of the folder, and for each style sheet that was made at the start."""
    files = {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}
    files |= {f"{name}.css": content for name, content in made.items()}
    return {
        f"/static/{name}": document(content, _media_type(name), FOREVER) for name, content in files.items()
    }


def _media_type(name: str) -> str:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
