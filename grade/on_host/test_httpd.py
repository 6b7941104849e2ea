"""httpd on the host."""

from __future__ import annotations

import os
import re
import resource
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grade.on_host.build import needs_compiler
from grade.on_host.network import LIMIT, LOCAL, run, running, served_port

pytestmark = needs_compiler


@dataclass
class Site:
    port: int
    folder: Path

    def connect(self) -> socket.socket:
        return socket.create_connection((LOCAL, self.port), timeout=30)

    def ask(self, target: str, *lines: str, method: str = "GET", version: str = "1.1") -> Reply:
        """One request on a connection of its own."""
        with self.connect() as connection:
            connection.sendall(request(target, *lines, "Connection: close", method=method,
                                       version=version))  # fmt: skip
            return read_reply(connection.makefile("rb"), method)


@dataclass
class Reply:
    status: int
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def request(target: str, *lines: str, method: str = "GET", version: str = "1.1") -> bytes:
    head = [f"{method} {target} HTTP/{version}", "Host: h", *lines, "", ""]
    return "\r\n".join(head).encode()


def read_reply(stream: object, method: str = "GET") -> Reply:
    first = stream.readline()
    match = re.fullmatch(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n", first)
    assert match, first
    reply = Reply(int(match[1]))
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, value = line.decode().rstrip("\r\n").split(": ", 1)
        reply.fields[name.lower()] = value
    if method != "HEAD" and reply.status != 304:
        length = int(reply.fields["content-length"])
        reply.body = stream.read(length)
        assert len(reply.body) == length
    return reply


@pytest.fixture(scope="module")
def site(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    top = tmp_path_factory.mktemp("httpd")
    (top / "secret").write_text("secret")
    folder = top / "www"
    (folder / "sub").mkdir(parents=True)
    (folder / "indexed").mkdir()
    (folder / "indexed/index.html").write_text("<p>index")
    (folder / "a.txt").write_bytes(b"0123456789")
    (folder / "empty").write_bytes(b"")
    (folder / "big.bin").write_bytes(os.urandom(12_000_000))
    (folder / "sub/<b> & \"c\"?.html").write_text("odd")
    (folder / "sub/.hidden").write_text("hidden")
    os.mkfifo(folder / "fifo")
    os.utime(folder / "a.txt", (1_600_000_000, 1_600_000_000))
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, limit[1]), limit[1]))
    with running(programs, "httpd", "-a", LOCAL, "-p", "0", "-n", "600", str(folder)) as process:
        yield Site(served_port(process), folder)


def test_httpd_serves_a_file(site: Site) -> None:
    reply = site.ask("/a.txt?query")
    assert reply.status == 200 and reply.body == b"0123456789"
    assert reply.fields["content-type"] == "text/plain; charset=utf-8"
    assert reply.fields["last-modified"] == "Sun, 13 Sep 2020 12:26:40 GMT"
    assert reply.fields["accept-ranges"] == "bytes" and reply.fields["connection"] == "close"
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", reply.fields["date"])
    assert site.ask("/big.bin").body == (site.folder / "big.bin").read_bytes()
    assert site.ask("/empty").body == b"" and site.ask("http://h/a.txt").status == 200
    assert site.ask("/%61.txt").body == b"0123456789"


def test_httpd_head(site: Site) -> None:
    with site.connect() as connection:
        connection.sendall(request("/big.bin", "Connection: close", method="HEAD"))
        answer = connection.makefile("rb").read()
    assert answer.endswith(b"\r\n\r\n") and b"Content-Length: 12000000\r\n" in answer
    assert site.ask("/none", method="HEAD").status == 404


@pytest.mark.parametrize(
    "value, status, body, content_range",
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("BYTES=9-9", 206, b"9", "bytes 9-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
        ("bytes=3-2", 200, b"0123456789", None),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
        ("bytes=x-", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
        ("bytes=99999999999999999999-", 200, b"0123456789", None),
    ],
)
def test_httpd_range(
    site: Site, value: str, status: int, body: bytes | None, content_range: str | None
) -> None:
    reply = site.ask("/a.txt", f"Range: {value}")
    assert reply.status == status and reply.fields.get("content-range") == content_range
    assert body is None or reply.body == body


def test_httpd_conditions(site: Site) -> None:
    same, later = "Sun, 13 Sep 2020 12:26:40 GMT", "Sun, 13 Sep 2020 12:26:41 GMT"
    before = "Sun, 13 Sep 2020 12:26:39 GMT"
    for date, status in [(same, 304), (later, 304), (before, 200), ("yesterday", 200)]:
        reply = site.ask("/a.txt", f"If-Modified-Since: {date}")
        assert reply.status == status and "last-modified" in reply.fields
    assert site.ask("/a.txt", "Range: bytes=0-0", f"If-Range: {same}").status == 206
    assert site.ask("/a.txt", "Range: bytes=0-0", f"If-Range: {before}").status == 200
    assert site.ask("/a.txt", "Range: bytes=0-0", 'If-Range: "tag"').status == 200


def test_httpd_keeps_the_connection(site: Site) -> None:
    with site.connect() as connection:
        stream = connection.makefile("rb")
        for _ in range(3):
            connection.sendall(request("/a.txt"))
            reply = read_reply(stream)
            assert reply.status == 200 and reply.fields["connection"] == "keep-alive"
        # many at once, also one that fails, and in pieces
        connection.sendall(request("/a.txt") + request("/none") + request("/big.bin")[:9])
        assert [read_reply(stream).status for _ in range(2)] == [200, 404]
        connection.sendall(request("/big.bin")[9:] + request("/a.txt", "Connection: close"))
        assert [read_reply(stream).status for _ in range(2)] == [200, 200]
        assert stream.read() == b""
    for lines, kept in [((), False), (("Connection: keep-alive",), True)]:
        with site.connect() as connection:
            connection.sendall(request("/a.txt", *lines, version="1.0"))
            stream = connection.makefile("rb")
            assert read_reply(stream).status == 200
            if not kept:
                assert stream.read() == b""


@pytest.mark.parametrize(
    "target, status",
    [
        ("/../secret", 403),
        ("/..", 403),
        ("/sub/../../secret", 403),
        ("/sub/../a.txt", 403),
        ("/%2e%2e/secret", 403),
        ("/.%2E/secret", 403),
        ("//../secret", 403),
        ("http://h/../secret", 403),
        ("/..%2fsecret", 400),
        ("/%00", 400),
        ("/a.txt%00.html", 400),
        ("/%", 400),
        ("/%4", 400),
        ("/%zz", 400),
        ("a.txt", 400),
        ("*", 400),
        ("ftp://h/a.txt", 400),
        ("/none", 404),
        ("/a.txt/", 404),
        ("/a.txt/x", 404),
        ("/...", 404),
        ("/..a", 404),
        ("/fifo", 403),
        ("/" + "x" * 2000, 414),
        ("/" + "x" * 300, 404),
    ],
)
def test_httpd_refuses(site: Site, target: str, status: int) -> None:
    reply = site.ask(target)
    assert reply.status == status and b"secret" not in reply.body.replace(target.encode(), b"")


@pytest.mark.parametrize(
    "raw, status",
    [
        (b"POST /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", 405),
        (b"BREW /a.txt HTTP/1.1\r\nHost: h\r\n\r\n", 501),
        (b"GET /a.txt HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        (b"GET /a.txt HTTP/1.1\r\n\r\n", 400),
        (b"GET /a.txt HTTP/1.1\r\nHost : h\r\n\r\n", 400),
        (b"GET /a.txt\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET /a.txt HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 9000, 431),
    ],
)
def test_httpd_answers_what_is_no_request_and_closes(site: Site, raw: bytes, status: int) -> None:
    with site.connect() as connection:
        connection.sendall(raw)
        stream = connection.makefile("rb")
        reply = read_reply(stream)
        assert reply.status == status and stream.read() == b""
        assert status != 405 or reply.fields["allow"] == "GET, HEAD"


def test_httpd_folders(site: Site) -> None:
    reply = site.ask("/sub")
    assert reply.status == 301 and reply.fields["location"] == "/sub/"
    reply = site.ask("/sub/")
    assert reply.status == 200 and reply.fields["content-type"].startswith("text/html")
    assert b'href="./%3Cb%3E%20%26%20%22c%22%3F.html"' in reply.body
    assert b"&lt;b&gt; &amp; &quot;c&quot;?.html" in reply.body and b"hidden" not in reply.body
    assert site.ask("/sub/%3Cb%3E%20%26%20%22c%22%3F.html").body == b"odd"
    assert site.ask("/indexed/").body == b"<p>index"
    listing = site.ask("/").body
    assert listing.index(b"a.txt") < listing.index(b"big.bin") < listing.index(b"sub/")


def test_httpd_500_connections_at_once(site: Site) -> None:
    half = request("/a.txt", "Connection: close")
    connections = [site.connect() for _ in range(500)]
    try:
        for connection in connections:
            connection.sendall(half[:20])
        assert site.ask("/a.txt").status == 200  # nobody waits for the slow ones
        for connection in connections:
            connection.sendall(half[20:])
        for connection in connections:
            assert read_reply(connection.makefile("rb")).body == b"0123456789"
    finally:
        for connection in connections:
            connection.close()


def test_httpd_is_not_held_up_by_who_does_not_read(site: Site) -> None:
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # more than both ends can hold
        slow.settimeout(30)
        slow.connect((LOCAL, site.port))
        slow.sendall(request("/big.bin", "Connection: close"))
        assert site.ask("/a.txt").status == 200
        assert read_reply(slow.makefile("rb")).body == (site.folder / "big.bin").read_bytes()
    with site.connect() as gone:  # resets in the middle
        gone.sendall(request("/big.bin"))
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert site.ask("/a.txt").status == 200


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_httpd_and_curl(site: Site, tmp_path: Path) -> None:
    url = f"http://{LOCAL}:{site.port}"
    whole = (site.folder / "big.bin").read_bytes()
    (tmp_path / "part").write_bytes(whole[:1_000_000])
    subprocess.run(["curl", "-sf", "-C", "-", "-o", "part", f"{url}/big.bin"], cwd=tmp_path,
                   check=True, timeout=LIMIT)  # fmt: skip
    assert (tmp_path / "part").read_bytes() == whole
    two = subprocess.run(["curl", "-sf", f"{url}/a.txt", f"{url}/indexed", "-L"], check=True,
                         capture_output=True, timeout=LIMIT)  # fmt: skip
    assert two.stdout == b"0123456789<p>index"


def test_wget_from_httpd(programs: Path, site: Site, tmp_path: Path) -> None:
    answer = run(programs, "wget", "-qO-", f"http://{LOCAL}:{site.port}/big.bin")
    assert answer.returncode == 0 and answer.stdout == (site.folder / "big.bin").read_bytes()
