"""URLs from text. Spec: https://url.spec.whatwg.org, 4. It is done piece by piece here, where that one has states."""

from __future__ import annotations

import re
from typing import Final, final

from . import percent
from .url_host import parse_host

SPECIAL: Final = {"ftp": 21, "file": None, "http": 80, "https": 443, "ws": 80, "wss": 443}
"""Schemes whose URLs have rules of their own, and their default ports."""

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_DRIVE: Final = re.compile(r"[A-Za-z][:|]")
_DOT: Final = re.compile(r"\.|%2e", re.IGNORECASE)
_DOTS: Final = re.compile(r"(?:\.|%2e){2}", re.IGNORECASE)
_REMOVED: Final = {ord(letter): None for letter in "\t\n\r"}
_ENDS: Final = "".join(map(chr, range(0x21)))


@final
class Record:
    """The parts of a URL. `host` and what comes after the path may be None; an opaque path is one segment."""

    __slots__ = ("fragment", "host", "is_opaque", "password", "path", "port", "query", "scheme", "username")

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self.username = ""
        self.password = ""
        self.host: str | None = None
        self.port: int | None = None
        self.path: list[str] = []
        self.is_opaque = False
        self.query: str | None = None
        self.fragment: str | None = None

    @property
    def is_special(self) -> bool:
        """Whether the scheme has rules of its own."""
        return self.scheme in SPECIAL

    @property
    def pathname(self) -> str:
        """The path as text."""
        return self.path[0] if self.is_opaque else "".join(f"/{part}" for part in self.path)

    @property
    def host_and_port(self) -> str:
        """As they stand in the URL."""
        return f"{self.host or ''}{'' if self.port is None else f':{self.port}'}"

    @property
    def origin(self) -> str:
        """Who is asked; "null" for schemes that say nothing of that."""
        if self.is_special and self.scheme != "file":
            return f"{self.scheme}://{self.host_and_port}"
        if self.scheme == "blob" and self.path:
            try:
                inner = parse(self.pathname)
            except ValueError:
                return "null"
            return inner.origin if inner.scheme in ("http", "https") else "null"
        return "null"

    def text(self) -> str:
        """The whole URL. Spec: 4.5."""
        found = f"{self.scheme}:"
        if self.host is not None:
            login = f"{self.username}{f':{self.password}' if self.password else ''}"
            found += f"//{login}{'@' if login else ''}{self.host_and_port}"
        elif not self.is_opaque and len(self.path) > 1 and not self.path[0]:
            found += "/."
        found += self.pathname
        if self.query is not None:
            found += f"?{self.query}"
        return found if self.fragment is None else f"{found}#{self.fragment}"

    def set_path(self, text: str, before: list[str] | None = None) -> None:
        """Parse a path, which begins below the segments `before`."""
        self.path = list(before or ())
        parts = (text.replace("\\", "/") if self.is_special else text).split("/")
        for index, part in enumerate(parts):
            is_last = index == len(parts) - 1
            if _DOTS.fullmatch(part):
                self.shorten()
                if is_last:
                    self.path.append("")
            elif _DOT.fullmatch(part):
                if is_last:
                    self.path.append("")
            else:
                if self.scheme == "file" and not self.path and _DRIVE.fullmatch(part):
                    part = f"{part[0]}:"
                self.path.append(percent.encode(part, "path"))

    def shorten(self) -> None:
        """Remove the last segment, but not a drive of Windows."""
        if self.path and not (
            self.scheme == "file" and len(self.path) == 1 and re.fullmatch("[A-Za-z]:", self.path[0])
        ):
            self.path.pop()

    def set_query(self, text: str) -> None:
        """Encode and set it."""
        self.query = percent.encode(text, "special query" if self.is_special else "query")

    def set_authority(self, text: str) -> None:
        """Login, host and port. Raises ValueError."""
        login, at, host = text.rpartition("@")
        if at:
            name, _, password = login.partition(":")
            self.username, self.password = percent.encode(name, "userinfo"), percent.encode(password, "userinfo")
        self.set_host(host)
        if at and not host:
            raise ValueError("a login has no host")

    def set_host(self, text: str) -> None:
        """Host and port. Raises ValueError."""
        host, colon, port = text, "", ""
        if ":" in text[text.rfind("]") + 1 :]:
            host, colon, port = text.rpartition(":")
        if self.is_special and not host and self.scheme != "file":
            raise ValueError("there is no host")
        if not host and colon:
            raise ValueError("a port has no host")
        self.host = parse_host(host, self.is_special) if host else ""
        if self.scheme == "file":
            if colon:
                raise ValueError("files have no port")
            self.host = "" if self.host == "localhost" else self.host
        elif port:
            self.set_port(port)

    def set_port(self, text: str) -> None:
        """Raises ValueError."""
        if not (text.isascii() and text.isdecimal()) or len(text.lstrip("0")) > 5 or int(text) > 65_535:
            raise ValueError("a port must be a number up to 65535")
        self.port = None if int(text) == SPECIAL.get(self.scheme) else int(text)


def parse(text: str, base: Record | None = None) -> Record:
    """The URL that a text is, perhaps in relation to another one. Raises ValueError."""
    text = text.strip(_ENDS).translate(_REMOVED)
    text, hash_, fragment = text.partition("#")
    scheme = _SCHEME.match(text)
    if scheme is not None:
        record = _with_scheme(Record(scheme[1].lower()), text[scheme.end() :], base)
    else:
        record = _without_scheme(text, base, has_fragment=bool(hash_))
    if hash_:
        record.fragment = percent.encode(fragment, "fragment")
    return record


def _with_scheme(record: Record, rest: str, base: Record | None) -> Record:
    if record.is_special:
        same = base if base is not None and base.scheme == record.scheme else None
        slashes = re.match(r"[/\\]*", rest)
        count = slashes.end() if slashes else 0
        if record.scheme == "file":
            return _file(record, rest, same)
        if same is not None and count < 2:
            return _relative(record, rest, same)
        return _with_authority(record, rest[count:])
    if rest.startswith("//"):
        return _with_authority(record, rest[2:])
    path, mark, query = rest.partition("?")
    if path.startswith("/"):
        record.set_path(path[1:])
    else:
        record.is_opaque = True
        record.path = [percent.encode(path, "controls")]
    if mark:
        record.set_query(query)
    return record


def _without_scheme(text: str, base: Record | None, has_fragment: bool) -> Record:
    if base is None:
        raise ValueError("there is no scheme")
    record = Record(base.scheme)
    if base.is_opaque:
        if text or not has_fragment:
            raise ValueError("nothing is relative to such a URL")
        record.path, record.query, record.is_opaque = list(base.path), base.query, True
        return record
    return _file(record, text, base) if base.scheme == "file" else _relative(record, text, base)


def _with_authority(record: Record, rest: str) -> Record:
    end = re.search(r"[/?\\]" if record.is_special else "[/?]", rest)
    at = end.start() if end else len(rest)
    record.set_authority(rest[:at])
    return _with_path(record, rest[at:])


def _with_path(record: Record, rest: str) -> Record:
    """Path and query, where the path is absolute or empty."""
    path, mark, query = rest.partition("?")
    if path or record.is_special:
        record.set_path(path[1:])
    if mark:
        record.set_query(query)
    return record


def _inherit(record: Record, base: Record) -> None:
    record.username, record.password, record.host, record.port = base.username, base.password, base.host, base.port


def _relative(record: Record, rest: str, base: Record) -> Record:
    slashes = r"[/\\]" if record.is_special else "/"
    if re.match(slashes * 2, rest):
        if record.is_special:
            return _with_authority(record, rest.lstrip("/\\"))
        return _with_authority(record, rest[2:])
    _inherit(record, base)
    if re.match(slashes, rest):
        return _with_path(record, rest)
    return _below(record, rest, base)


def _below(record: Record, rest: str, base: Record) -> Record:
    """What is relative to the last slash of another URL."""
    path, mark, query = rest.partition("?")
    record.path = list(base.path)
    if path:
        record.shorten()
        record.set_path(path, record.path)
    elif not mark:
        record.query = base.query
    if mark:
        record.set_query(query)
    return record


def _file(record: Record, rest: str, base: Record | None) -> Record:
    record.host = ""
    rest = re.sub(r"\A[/\\]{1,2}", lambda slashes: "/" * len(slashes[0]), rest)
    if rest.startswith("//"):
        rest = rest[2:]
        end = re.search(r"[/?\\]", rest)
        at = end.start() if end else len(rest)
        if _DRIVE.fullmatch(rest[:at]):
            return _with_path(record, f"/{rest}")
        record.set_host(rest[:at])
        return _with_path(record, rest[at:])
    if rest.startswith("/"):
        if base is None:
            return _with_path(record, rest)
        record.host = base.host
        if base.path and re.fullmatch("[A-Za-z]:", base.path[0]) and not _DRIVE.match(rest, 1):
            rest = f"/{base.path[0]}{rest}"
        return _with_path(record, rest)
    if base is None or _DRIVE.match(rest):
        return _with_path(record, f"/{rest}" if not rest.startswith("?") else rest)
    record.host = base.host
    return _below(record, rest, base)
