"""The network programs of user/bin, built for the host under sanitizers, over its loopback.

The same sources run on Cairn; here they meet Linux's sockets, Python's servers, and, where they are
installed, curl and GNU wget. Only loopback addresses are used, and ports that the system chose.
"""

from __future__ import annotations

import fcntl
import http.server
import os
import re
import resource
import select
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
BIN = REPOSITORY / "user" / "bin"
HTTP = REPOSITORY / "user" / "libhttp"
COMPILER = shutil.which(os.environ.get("HOSTCC", "clang"))
FLAGS = [
    "-std=gnu11", "-g", "-O1", "-D_GNU_SOURCE", "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all", f"-I{HTTP / 'include'}", f"-I{REPOSITORY / 'servers'}",
]  # fmt: skip
PROGRAMS = "host httpd nc net netbench ping services tcpdump traceroute wget".split()
LIMIT = 60.0
LOCAL = "127.0.0.1"

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no clang")


# ---- Building and running ----------------------------------------------------------------------


def sources_of(name: str) -> list[Path]:
    sources = [BIN / f"{name}.c"] if (BIN / f"{name}.c").exists() else []
    sources += sorted((BIN / name).glob("*.c"))
    if name in ("httpd", "wget"):
        sources += sorted(HTTP.glob("*.c"))
    if name == "net":
        sources.append(BIN / "net/test/netd.c")
    return sources


def build(name: str, folder: Path) -> None:
    target = folder / name
    headers = [*BIN.glob("common/*.h"), *(BIN / name).glob("**/*.h"), *HTTP.glob("**/*.h")]
    newest = max(path.stat().st_mtime for path in [*sources_of(name), *headers])
    if target.exists() and target.stat().st_mtime > newest:
        return
    extra = [f"-I{BIN / 'net/test/host'}"] if name == "net" else []
    command = [COMPILER, *FLAGS, *extra, *map(str, sources_of(name)), "-lm", "-o", str(target)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


@pytest.fixture(scope="session")
def programs(request: pytest.FixtureRequest) -> Path:
    """The folder with our programs. Parallel sessions wait for the one that builds."""
    folder = Path(request.config.getoption("--build")).resolve() / "host-network"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            list(pool.map(lambda name: build(name, folder), PROGRAMS))
    return folder


ENVIRONMENT = {**os.environ, "LC_ALL": "C", "TZ": "UTC", "ASAN_OPTIONS": "detect_leaks=0"}


def run(
    programs: Path, *words: str, stdin: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs one of our programs. A sanitizer's report fails the test."""
    answer = subprocess.run(
        [programs / words[0], *words[1:]], input=stdin, capture_output=True, timeout=LIMIT,
        check=False, cwd=cwd, env=ENVIRONMENT,
    )  # fmt: skip
    assert b"Sanitizer" not in answer.stderr and b"runtime error" not in answer.stderr, (
        answer.stderr.decode(errors="replace")[:3000]
    )
    return answer


@contextmanager
def running(programs: Path, *words: str, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A program that serves; it must still be there, and be clean, at the end."""
    with subprocess.Popen(
        [programs / words[0], *words[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=ENVIRONMENT, **options,
    ) as process:  # fmt: skip
        try:
            yield process
            assert process.poll() in (None, 0)
        finally:
            process.kill()
            _, complaint = process.communicate()
    assert b"Sanitizer" not in complaint and b"runtime error" not in complaint, complaint.decode()


def served_port(process: subprocess.Popen[bytes]) -> int:
    """Out of a line "... 127.0.0.1:PORT" on standard output."""
    assert process.stdout is not None
    return int(process.stdout.readline().rsplit(b":", 1)[1])


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind((LOCAL, 0))
        return one.getsockname()[1]


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_and_misuse(programs: Path, name: str) -> None:
    answer = run(programs, name, "--help")
    assert answer.returncode == 0 and answer.stdout.startswith(b"usage: " + name.encode())
    answer = run(programs, name, "-?")
    assert answer.returncode in (1, 2) and b"usage: " in answer.stderr and not answer.stdout


# ---- httpd -------------------------------------------------------------------------------------


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


# ---- wget --------------------------------------------------------------------------------------

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


def test_wget_from_httpd(programs: Path, site: Site, tmp_path: Path) -> None:
    answer = run(programs, "wget", "-qO-", f"http://{LOCAL}:{site.port}/big.bin")
    assert answer.returncode == 0 and answer.stdout == (site.folder / "big.bin").read_bytes()


# ---- nc ----------------------------------------------------------------------------------------


def listening(process: subprocess.Popen[bytes]) -> int:
    """The port of an `nc -v -l 0`, as it says itself."""
    assert process.stderr is not None
    return int(process.stderr.readline().rsplit(b":", 1)[1])


def test_nc_both_ways(programs: Path) -> None:
    data = os.urandom(2_000_000)
    with running(programs, "nc", "-v", "-N", "-l", LOCAL, "0") as server:
        port = listening(server)
        with ThreadPoolExecutor() as pool:
            client = pool.submit(run, programs, "nc", "-N", LOCAL, str(port), stdin=data)
            output, _ = server.communicate(b"answer", timeout=LIMIT)
            assert output == data and server.returncode == 0
            assert client.result().stdout == b"answer" and client.result().returncode == 0


def test_nc_serves_again(programs: Path) -> None:
    with running(programs, "nc", "-v", "-k", "-l", LOCAL, "0") as server:
        port = listening(server)
        for text in (b"one", b"two"):
            answer = run(programs, "nc", "-N", "-w", "1", LOCAL, str(port), stdin=text)
            assert answer.returncode == 0
        assert server.stdout is not None and server.stdout.read(6) == b"onetwo"


def test_nc_datagrams(programs: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((LOCAL, 0))
        peer.settimeout(30)
        port = peer.getsockname()[1]
        with running(programs, "nc", "-u", LOCAL, str(port)) as client:
            assert client.stdin is not None and client.stdout is not None
            client.stdin.write(b"question")
            client.stdin.flush()
            data, address = peer.recvfrom(100)
            assert data == b"question"
            peer.sendto(b"answer", address)
            assert client.stdout.read(6) == b"answer"
    with running(programs, "nc", "-u", "-v", "-l", LOCAL, "0") as server:
        port = listening(server)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"hello", (LOCAL, port))
            assert server.stdout is not None and server.stdout.read(5) == b"hello"


def test_nc_looks_for_listeners(programs: Path) -> None:
    with socket.create_server((LOCAL, 0)) as server:
        port = server.getsockname()[1]
        answer = run(programs, "nc", "-z", "-v", LOCAL, str(port))
        assert answer.returncode == 0 and b"connected to" in answer.stderr
        assert run(programs, "nc", "-z", LOCAL, f"{port}-{port}").returncode == 0
    assert run(programs, "nc", "-z", LOCAL, str(port)).returncode == 1
    answer = run(programs, "nc", LOCAL, str(port))
    assert answer.returncode == 1 and b"refused" in answer.stderr
    closed = free_port(socket.SOCK_DGRAM)
    assert run(programs, "nc", "-u", "-z", LOCAL, str(closed)).returncode == 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((LOCAL, 0))
        assert run(programs, "nc", "-u", "-z", LOCAL, str(peer.getsockname()[1])).returncode == 0


def test_nc_gives_up_waiting(programs: Path) -> None:
    with socket.create_server((LOCAL, 0)) as server:
        start = time.monotonic()
        answer = run(programs, "nc", "-w", "0.3", LOCAL, str(server.getsockname()[1]))
        assert answer.returncode == 0 and time.monotonic() - start >= 0.3


def test_nc_source_port(programs: Path) -> None:
    with socket.create_server((LOCAL, 0)) as server:
        port = free_port()
        with running(programs, "nc", "-p", str(port), LOCAL, str(server.getsockname()[1])):
            connection, address = server.accept()
            connection.close()
            assert address[1] == port


@pytest.mark.parametrize("words", [(), ("h",), ("-l",), ("h", "5-3"), ("-w", "x", "h", "1")])
def test_nc_misuse(programs: Path, words: tuple[str, ...]) -> None:
    assert run(programs, "nc", *words).returncode == 1


# ---- services, netbench ------------------------------------------------------------------------


@pytest.fixture
def services(programs: Path) -> Iterator[dict[tuple[str, str], int]]:
    """Ports by service and protocol."""
    names = ("echo", "discard", "chargen")
    with running(programs, "services", "-a", LOCAL, *(f"{n}=0" for n in names)) as process:
        assert process.stdout is not None
        ports = {}
        for name in names:
            for protocol in ("tcp", "udp"):
                line = process.stdout.readline().decode()
                assert line.startswith(protocol)
                ports[name, protocol] = int(line.rsplit(":", 1)[1])
        yield ports


def test_echo(services: dict[tuple[str, str], int]) -> None:
    data = os.urandom(1_000_000)
    with socket.create_connection((LOCAL, services["echo", "tcp"]), timeout=30) as connection:
        sender = threading.Thread(target=lambda: connection.sendall(data))
        sender.start()
        assert connection.makefile("rb").read(len(data)) == data
        sender.join()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(30)
        for size in (0, 1, 9000):
            peer.sendto(data[:size], (LOCAL, services["echo", "udp"]))
            assert peer.recv(65536) == data[:size]


def test_echo_to_who_does_not_read_yet(services: dict[tuple[str, str], int]) -> None:
    """Everything on the way is full before the first byte is read; nothing is lost."""
    data, sent, got = os.urandom(32_000_000), 0, bytearray()
    with socket.create_connection((LOCAL, services["echo", "tcp"]), timeout=30) as connection:
        connection.setblocking(False)
        while select.select([], [connection], [], 0.3)[1] and sent < len(data):
            sent += connection.send(data[sent : sent + 65536])
        assert sent < len(data), "the buffers on the way are larger than this test thinks"
        connection.shutdown(socket.SHUT_WR)
        while select.select([connection], [], [], 30)[0] and (part := connection.recv(1 << 20)):
            got += part
    assert got == data[:sent]


def test_discard(services: dict[tuple[str, str], int]) -> None:
    with socket.create_connection((LOCAL, services["discard", "tcp"]), timeout=30) as connection:
        connection.sendall(bytes(1_000_000))
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def test_chargen(services: dict[tuple[str, str], int]) -> None:
    with socket.create_connection((LOCAL, services["chargen", "tcp"]), timeout=30) as connection:
        lines = connection.makefile("rb").read(74 * 200).split(b"\r\n")
    text = bytes(range(32, 127)) * 2
    for i, line in enumerate(lines[:200]):
        assert line == text[i % 95 : i % 95 + 72]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(30)
        peer.sendto(b"", (LOCAL, services["chargen", "udp"]))
        assert len(peer.recv(65536)) == 512


def test_services_do_not_answer_each_other(services: dict[tuple[str, str], int]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        try:
            peer.bind((LOCAL, 7))
        except OSError as error:
            pytest.skip(f"port 7 cannot be had here: {error.strerror}")
        peer.sendto(b"x", (LOCAL, services["echo", "udp"]))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.settimeout(30)
            other.sendto(b"y", (LOCAL, services["echo", "udp"]))
            assert other.recv(10) == b"y"  # served behind the first one
        peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            peer.recv(10)


@pytest.mark.parametrize(
    "mode, pattern",
    [
        ("send", r"send +[\d.]+ MB/s  [\d.]+ MB in [\d.]+ s\n"),
        ("receive", r"receive +[\d.]+ MB/s  [\d.]+ MB in [\d.]+ s\n"),
        ("rtt", r"rtt +[\d.]+ us  minimum [\d.]+, maximum [\d.]+, \d+ round trips of 1 bytes\n"),
        ("connect", r"connect +[\d.]+ /s  \d+ connections in [\d.]+ s\n"),
    ],
)
def test_netbench(programs: Path, mode: str, pattern: str) -> None:
    with running(programs, "netbench", "-s", "-p", "0") as server:
        port = str(served_port(server))
        answer = run(programs, "netbench", "-t", "0.2", "-m", mode, "-p", port, LOCAL)
        assert answer.returncode == 0 and re.fullmatch(pattern, answer.stdout.decode())
        assert mode != "rtt" or float(answer.stdout.split()[1]) > 0


# ---- ping, traceroute, host --------------------------------------------------------------------


def may_be_raw() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except PermissionError:
        return False
    return True


needs_raw = pytest.mark.skipif(not may_be_raw(), reason="raw sockets are not permitted here")


@needs_raw
@pytest.mark.parametrize("address", [LOCAL, "::1"])
def test_ping(programs: Path, address: str) -> None:
    answer = run(programs, "ping", "-c", "3", "-i", "0.05", "-s", "100", address)
    lines = answer.stdout.decode().splitlines()
    assert answer.returncode == 0 and lines[0] == f"PING {address} ({address}) 100 bytes of data."
    for i in (1, 2, 3):
        ttl = r" ttl=\d+" if "." in address else ""
        assert re.fullmatch(
            rf"108 bytes from {address}: icmp_seq={i}{ttl} time=[\d.]+ ms", lines[i]
        )
    assert lines[5] == f"--- {address} ping statistics ---"
    assert lines[6] == "3 packets transmitted, 3 received, 0% packet loss"
    assert re.fullmatch(r"rtt min/avg/max/mdev = [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms", lines[7])


@needs_raw
def test_ping_without_answer(programs: Path) -> None:
    answer = run(programs, "ping", "-q", "-c", "2", "-i", "0.05", "-W", "0.2", "127.255.255.255")
    assert answer.returncode == 1 and b"0 received" in answer.stdout
    assert b"100% packet loss" in answer.stdout


@needs_raw
@pytest.mark.parametrize("address", [LOCAL, "::1"])
def test_traceroute(programs: Path, address: str) -> None:
    answer = run(programs, "traceroute", "-n", "-q", "2", address)
    lines = answer.stdout.decode().splitlines()
    assert answer.returncode == 0 and lines[0].startswith(f"traceroute to {address} ({address})")
    assert re.fullmatch(rf" 1  {address}  [\d.]+ ms  [\d.]+ ms", lines[1]) and len(lines) == 2


def test_host(programs: Path) -> None:
    answer = run(programs, "host", "-4", "localhost")
    assert answer.returncode == 0 and b"localhost has address 127.0.0.1\n" in answer.stdout
    answer = run(programs, "host", LOCAL)
    assert answer.returncode == 0 and answer.stdout.startswith(b"127.0.0.1 has name localhost")


# ---- net, tcpdump ------------------------------------------------------------------------------


def test_net_shows_files(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "net:status").write_text("eth0: up\n")
    (tmp_path / "net:counters").write_text("ip_in 10\nip_out 0\nudp_in 100\n")
    (tmp_path / "net:sockets").write_text(
        "proto recv-q\ntcp  a LISTEN\ntcp6 b ESTABLISHED\nudp  c \nraw  d \n"
    )

    def net(*words: str) -> str:
        answer = run(programs, "net", *words, cwd=tmp_path)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout.decode()

    assert net() == net("status") == "eth0: up\n"
    assert net("counters") == "ip_in 10\nudp_in 100\n"
    assert net("-a", "counters") == "ip_in 10\nip_out 0\nudp_in 100\n"
    assert net("-t", "sockets") == "proto recv-q\ntcp  a LISTEN\ntcp6 b ESTABLISHED\n"
    assert net("-uw", "sockets") == "proto recv-q\nudp  c \nraw  d \n"
    assert net("-l", "sockets") == "proto recv-q\ntcp  a LISTEN\n"
    assert run(programs, "net", "routes", cwd=tmp_path).returncode == 1
    assert run(programs, "net", "nothing", cwd=tmp_path).returncode == 2


NONE = "0:" + "00" * 16


@pytest.mark.parametrize(
    "words, what",
    [
        ("address add eth0 10.0.2.15/24", f"1 interface 2 address 2:0a00020f/24 gateway {NONE}"),
        ("address remove lo 127.0.0.2", f"2 interface 1 address 2:7f000002/32 gateway {NONE}"),
        ("address add eth0 fe80::1/64",
         f"1 interface 2 address 10:fe80{'00' * 13}01/64 gateway {NONE}"),
        ("route add default via 10.0.2.2",
         "3 interface 0 address 2:00000000/0 gateway 2:0a000202"),
        ("route remove 192.0.2.0/25 via 10.0.2.2 dev eth0",
         "4 interface 2 address 2:c0000200/25 gateway 2:0a000202"),
        ("route add 192.0.2.0/25 dev eth0", f"3 interface 2 address 2:c0000200/25 gateway {NONE}"),
        ("link up eth0", f"5 interface 2 address {NONE}/0 gateway {NONE}"),
        ("link down eth0", f"6 interface 2 address {NONE}/0 gateway {NONE}"),
        ("dhcp eth0", f"7 interface 2 address {NONE}/0 gateway {NONE}"),
        ("flush eth0", f"8 interface 2 address {NONE}/0 gateway {NONE}"),
    ],
)  # fmt: skip
def test_net_changes(programs: Path, words: str, what: str) -> None:
    answer = run(programs, "net", *words.split())
    assert answer.returncode == 0 and answer.stdout.decode() == f"what {what}\n"


@pytest.mark.parametrize(
    "words, status",
    [
        ("address", 2), ("address add", 2), ("address move eth0 1.2.3.4", 2),
        ("address add eth0", 2), ("address add eth0 x", 2), ("address add eth0 1.2.3.4/33", 2),
        ("address add eth0 1.2.3.4/x", 2), ("address add eth0 1.2.3.4/24 more", 2),
        ("address add eth9 1.2.3.4/24", 1), ("address add eth0 99.0.0.1/8", 1),
        ("route add default", 2), ("route add default via x", 2), ("link sideways eth0", 2),
    ],
)  # fmt: skip
def test_net_refuses(programs: Path, words: str, status: int) -> None:
    answer = run(programs, "net", *words.split())
    assert answer.returncode == status and answer.stderr


MAC_A, MAC_B = bytes.fromhex("525400123456"), bytes.fromhex("52550a000202")


def ethernet(kind: int, payload: bytes, to: bytes = MAC_B) -> bytes:
    return to + MAC_A + struct.pack(">H", kind) + payload


def ipv4(protocol: int, payload: bytes, offset: int = 0) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, offset, 64, protocol, 0)
    return ethernet(0x800, head + bytes([10, 0, 2, 15, 10, 0, 2, 2]) + payload)


def ipv6(protocol: int, payload: bytes) -> bytes:
    head = struct.pack(">IHBB", 6 << 28, len(payload), protocol, 255)
    addresses = socket.inet_pton(socket.AF_INET6, "fe80::1") + socket.inet_pton(
        socket.AF_INET6, "ff02::1"
    )
    return ethernet(0x86DD, head + addresses + payload)


def tcp(flags: int, options: bytes = b"", data: bytes = b"") -> bytes:
    size = (20 + len(options)) << 10 & 0xF000
    head = struct.pack(">HHIIHHHH", 4321, 80, 1000, 2000, size | flags, 65535, 0, 0)
    return head + options + data


SYN_OPTIONS = bytes([2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7])
ARP_REQUEST = bytes.fromhex("0001080006040001") + MAC_A + bytes([10, 0, 2, 15]) + bytes(6) + bytes(
    [10, 0, 2, 2]
)
ARP_REPLY = bytes.fromhex("0001080006040002") + MAC_B + bytes([10, 0, 2, 2]) + MAC_A + bytes(
    [10, 0, 2, 15]
)
FRAMES = [
    (ethernet(0x806, ARP_REQUEST, b"\xff" * 6), "ARP, Request who-has 10.0.2.2 tell 10.0.2.15"),
    (ethernet(0x806, ARP_REPLY), "ARP, Reply 10.0.2.2 is-at 52:55:0a:00:02:02"),
    (ipv4(1, bytes([8, 0, 0, 0, 0, 5, 0, 1]) + bytes(56)),
     "IP 10.0.2.15 > 10.0.2.2: ICMP echo request, id 5, seq 1, length 64"),
    (ipv4(6, tcp(2, SYN_OPTIONS)),
     "IP 10.0.2.15.4321 > 10.0.2.2.80: Flags [S], seq 1000, win 65535, options [mss 1460,sackOK,"
     "TS val 7 ecr 0,nop,wscale 7], length 0"),
    (ipv4(6, tcp(0x18, b"", b"hello")),
     "IP 10.0.2.15.4321 > 10.0.2.2.80: Flags [P.], seq 1000:1005, ack 2000, win 65535, length 5"),
    (ipv4(17, struct.pack(">HHHH", 68, 67, 308, 0) + bytes(300)),
     "IP 10.0.2.15.68 > 10.0.2.2.67: UDP, length 300"),
    (ipv4(17, bytes(100), 0x2000 | 10),
     "IP 10.0.2.15 > 10.0.2.2: frag, length 100, more fragments"),
    (ipv6(58, bytes([134, 0, 0, 0]) + bytes(12)),
     "IP6 fe80::1 > ff02::1: ICMP6, router advertisement, length 16"),
    (ipv6(17, struct.pack(">HHHH", 5353, 5353, 8, 0)),
     "IP6 fe80::1.5353 > ff02::1.5353: UDP, length 0"),
    (ipv4(6, tcp(2, SYN_OPTIONS))[:40],
     "IP 10.0.2.15.4321 > 10.0.2.2.80: tcp, truncated or bad header"),
    (ipv4(6, b"")[:20], "IP truncated or bad header"),
    (MAC_A, "truncated frame"),
    (ethernet(0x88CC, b"x"), "ethertype 0x88cc"),
]  # fmt: skip


def pcap(frames: list[bytes], order: str = "<", magic: int = 0xA1B2C3D4) -> bytes:
    out = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, 65535, 1)
    for i, frame in enumerate(frames):
        out += struct.pack(order + "IIII", 3600 + i, 250_000, len(frame), len(frame)) + frame
    return out


ALL = [frame for frame, _ in FRAMES]


@pytest.mark.parametrize("order", ["<", ">"])
def test_tcpdump_reads_and_describes(programs: Path, order: str) -> None:
    answer = run(programs, "tcpdump", "-r", "-", stdin=pcap(ALL, order))
    lines = answer.stdout.decode().splitlines()
    assert answer.returncode == 0
    for i, (line, (_, text)) in enumerate(zip(lines, FRAMES, strict=True)):
        assert line == f"01:00:{i:02}.250000 {text}"


def test_tcpdump_options(programs: Path) -> None:
    answer = run(programs, "tcpdump", "-c", "1", "-e", "-x", "-r", "-",
                 stdin=pcap(ALL, magic=0xA1B23C4D))  # fmt: skip
    lines = answer.stdout.decode().splitlines()
    assert lines[0].startswith(
        "01:00:00.000250 52:54:00:12:34:56 > ff:ff:ff:ff:ff:ff, length 42: ARP, "
    )
    assert lines[1] == "\t0x0000:  ffff ffff ffff 5254 0012 3456 0806 0001" and len(lines) == 4


@pytest.mark.parametrize(
    "expression, wanted",
    [
        ("arp", [0, 1]),
        ("icmp or icmp6", [2, 7]),
        ("tcp and port 80", [3, 4, 9]),
        ("dst port 67", [5]),
        ("src port 67", []),
        ("port 67 or port 5353", [5, 8]),
        ("host 10.0.2.2 and not tcp and not udp", [0, 1, 2]),
        ("src host 10.0.2.2", [1]),
        ("dst fe80::1", []),
        ("src host fe80::1", [7, 8]),
        ("broadcast", [0]),
        ("not ( ip or arp )", [7, 8, 11, 12]),
        ("udp and ( port 68 or host ff02::1 )", [5, 8]),
        ("ip6", [7, 8]),
        ("! ip && ! ip6", [0, 1, 11, 12]),
    ],
)
def test_tcpdump_filters(programs: Path, expression: str, wanted: list[int]) -> None:
    words = expression.split()
    answer = run(programs, "tcpdump", "-r", "-", "-w", "-", *words, stdin=pcap(ALL))
    again = run(programs, "tcpdump", "-r", "-", stdin=answer.stdout)
    seconds = [int(line[6:8]) for line in again.stdout.decode().splitlines()]
    assert answer.returncode == 0 and seconds == wanted


@pytest.mark.parametrize(
    "expression",
    ["host", "host x", "port", "port x", "port 70000", "and", "not", "( arp", "arp )", "arp arp",
     "arp and", "src", "src port", "nonsense", "( " * 40 + "arp", "arp" + " or arp" * 40],
)  # fmt: skip
def test_tcpdump_refuses_expressions(programs: Path, expression: str) -> None:
    answer = run(programs, "tcpdump", "-r", "-", *expression.split(), stdin=pcap(ALL))
    assert answer.returncode == 2 and answer.stderr and not answer.stdout


def test_tcpdump_and_bad_files(programs: Path, tmp_path: Path) -> None:
    whole = pcap(ALL[:2])
    for bad in (b"", b"hello", whole[:10], whole[:30], whole[:-1], pcap([], magic=1),
                whole[:32] + b"\xff" * 4 + whole[36:]):  # fmt: skip
        answer = run(programs, "tcpdump", "-r", "-", stdin=bad)
        assert answer.returncode == 1 and answer.stderr
    assert run(programs, "tcpdump", "-r", str(tmp_path / "none")).returncode == 1
    assert run(programs, "tcpdump", "-r", "-", stdin=whole[:24]).returncode == 0
