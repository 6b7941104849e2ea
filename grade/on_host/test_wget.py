"""wget on the host: it does what GNU wget does."""

from __future__ import annotations

import http.server
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from grade.on_host.build import needs_compiler
from grade.on_host.network import ENVIRONMENT, LIMIT, LOCAL, run

pytestmark = needs_compiler

CONTENT = bytes(range(256)) * 40


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def reply(self, status: int, body: bytes = b"", **fields: str) -> None:
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        if "Transfer_Encoding" not in fields:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path in ("/file", "/dir/name.txt", "/"):
            self.file()
        elif path.startswith("/hop/"):
            left = int(path[5:])
            self.reply(302, Location=f"/hop/{left - 1}" if left > 1 else "/file")
        elif path == "/chunked":
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in (b"one ", b"two"))
            self.reply(200, chunks + b"0\r\n\r\n", Transfer_Encoding="chunked")
        elif path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"short")
            self.close_connection = True
        elif path == "/echo":
            length = int(self.headers.get("Content-Length", 0))
            text = f"{self.command} {self.headers.get('X-Test')} {self.headers.get('User-Agent')} "
            self.reply(200, text.encode() + self.rfile.read(length))
        elif path == "/nonsense":
            self.wfile.write(b"nonsense\r\n\r\n")
            self.close_connection = True
        else:
            self.reply(404, b"no such thing")

    do_HEAD = do_POST = do_PUT = do_GET

    def file(self) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked is None:
            self.reply(200, CONTENT)
        elif int(asked[1]) >= len(CONTENT):
            self.reply(416)
        else:
            rest = CONTENT[int(asked[1]) :]
            part = f"bytes {asked[1]}-{len(CONTENT) - 1}/{len(CONTENT)}"
            self.reply(206, rest, Content_Range=part)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer((LOCAL, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{LOCAL}:{server.server_port}"
        server.shutdown()
        thread.join()


WGET_CASES = """
    URL/file
    -q URL/dir/name.txt?query
    -q URL/
    -q -O out URL/file URL/file
    -q -O - URL/file
    -q -P to URL/file
    -q URL/hop/3
    -q -O chunked URL/chunked
    -q URL/none
    -q URL/file URL/none URL/file
    -q --max-redirect=0 URL/hop/1
    -q --spider URL/file
    -q --spider URL/none
    -q -O- --header=X-Test:yes -U agent URL/echo
    -q -O- --method=PUT --body-data=text -U agent URL/echo
    -q -O no/such/folder URL/file
    -q -T 5 -t 1 http://127.0.0.1:1/
    -c -q URL/file
""".strip().splitlines()


def has_gnu_wget() -> bool:
    if shutil.which("wget") is None:
        return False
    said = subprocess.run(["wget", "--version"], capture_output=True, text=True, check=False)
    return "GNU Wget" in said.stdout


@pytest.mark.skipif(not has_gnu_wget(), reason="no GNU wget")
@pytest.mark.parametrize("case", WGET_CASES, ids=str.strip)
def test_wget_like_gnu(programs: Path, url: str, tmp_path: Path, case: str) -> None:
    """The same output, exit status and files as GNU wget's."""
    results = []
    for name, wget in (("ours", str(programs / "wget")), ("theirs", "wget")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "to").mkdir()
        if "-c " in case:
            (folder / "file").write_bytes(CONTENT[:100])
        words = case.strip().replace("URL", url).split()
        if name == "ours" and "-t" in words:  # we try once anyway
            at = words.index("-t")
            del words[at : at + 2]
        answer = subprocess.run([wget, *words], cwd=folder, capture_output=True, timeout=LIMIT,
                                env=ENVIRONMENT, check=False)  # fmt: skip
        assert b"Sanitizer" not in answer.stderr
        files = {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        results.append((answer.returncode, answer.stdout, files))
    assert results[0] == results[1]


def test_wget_says_what_it_does(programs: Path, url: str, tmp_path: Path) -> None:
    answer = run(programs, "wget", "-S", f"{url}/file", cwd=tmp_path)
    assert answer.returncode == 0 and b"HTTP/1.1 200 OK" in answer.stderr
    assert b"100% [" + b"=" * 30 + b"] 10.0K" in answer.stderr
    answer = run(programs, "wget", "-q", f"{url}/none", cwd=tmp_path)
    assert answer.returncode == 8 and b"404" in answer.stderr
    run(programs, "wget", "-q", f"{url}/file", cwd=tmp_path)
    assert (tmp_path / "file.1").read_bytes() == CONTENT


def test_wget_goes_on(programs: Path, url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT[:1000])
    assert run(programs, "wget", "-c", "-q", f"{url}/file", cwd=tmp_path).returncode == 0
    assert (tmp_path / "file").read_bytes() == CONTENT
    answer = run(programs, "wget", "-c", f"{url}/file", cwd=tmp_path)
    assert answer.returncode == 0 and b"already complete" in answer.stderr
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "path, status", [("/short", 4), ("/nonsense", 7), ("/hop/30", 7)], ids=str
)
def test_wget_and_bad_servers(
    programs: Path, url: str, tmp_path: Path, path: str, status: int
) -> None:
    answer = run(programs, "wget", "-q", f"{url}{path}", cwd=tmp_path)
    assert answer.returncode == status and answer.stderr
