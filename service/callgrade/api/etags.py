"""Entity tags: a client that has what it asks for already gets 304 and no body (RFC 9110, 13.1.2)."""

import hashlib

from fastapi import Request, Response


def etag_of(*facts: object) -> str:
    """Of what decides the answer: ids, digests, versions, moments of change."""
    return '"' + hashlib.sha256("\x1f".join(map(str, facts)).encode()).hexdigest()[:32] + '"'


def not_modified(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names it. Weak comparison, as for every GET."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    return given.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in given.split(",")}


def unchanged(etag: str, *, private: bool = True) -> Response:
    return Response(status_code=304, headers=cache_headers(etag, private=private))


def cache_headers(etag: str, *, private: bool = True) -> dict[str, str]:
    """The answer may be kept by the client alone, and asked for again each time: rights and erasures change."""
    return {"ETag": etag, "Cache-Control": "private, no-cache" if private else "no-cache", "Vary": "Authorization"}
