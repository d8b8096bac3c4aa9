"""What browsers keep for good: each file's URL names its content by a digest, so that a new one is a new URL."""

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from callgrade.domain.errors import UnknownResourceError

FOLDER = Path(__file__).parent / "static"
FOR_GOOD = "public, max-age=31536000, immutable"
MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

router = APIRouter()


class Asset(NamedTuple):
    """`packed` is the same with gzip."""

    url: str
    content: bytes
    packed: bytes
    media_type: str


@lru_cache
def assets() -> dict[str, Asset]:
    """By file name. They are small and few, so all of them are held."""
    return {path.name: _asset(path) for path in sorted(FOLDER.iterdir()) if path.suffix in MEDIA_TYPES}


def asset(name: str) -> str:
    """The URL of a file in `static/`. Raises KeyError where there is none."""
    return assets()[name].url


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:12]
    stem, suffix = path.name.removesuffix(path.suffix), path.suffix
    packed = gzip.compress(content, 9, mtime=0)
    return Asset(f"/static/{stem}.{digest}{suffix}", content, packed, MEDIA_TYPES[suffix])


@router.get("/static/{name}")
async def read_asset(name: str, request: Request) -> Response:
    """A page of the version before may still ask for its own files: it gets today's, and is not to keep them."""
    found = next((it for it in assets().values() if it.url == f"/static/{name}"), None)
    lasts = FOR_GOOD if found else "no-store"
    *stem, _, suffix = name.rsplit(".", 2) if name.count(".") > 1 else ("", "", "")
    found = found or assets().get(f"{''.join(stem)}.{suffix}")
    if found is None:
        raise UnknownResourceError("there is no such file")
    headers = {"Cache-Control": lasts, "Vary": "Accept-Encoding"}
    if accepts_gzip(request):
        return Response(found.packed, media_type=found.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.content, media_type=found.media_type, headers=headers)


@router.get("/favicon.ico")
async def favicon() -> Response:
    icon = assets()["icon.svg"]
    return Response(icon.content, media_type=icon.media_type, headers={"Cache-Control": "public, max-age=86400"})


def accepts_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")
