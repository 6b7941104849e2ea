"""Check a built book: every link leads somewhere, and no page needs the network.

A link inside the book must name a file that is there, and an anchor that the file has. What a
browser would fetch by itself (scripts, styles, fonts, images, frames) must be in the book, also
where a style sheet asks for it. Links that a reader may follow to elsewhere are allowed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = {  # attributes whose value a browser loads without being asked
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "use": ("href", "xlink:href"),
    "image": ("href", "xlink:href"),
    "input": ("src",),
}
LINK_FETCHES = {
    "stylesheet",
    "icon",
    "preload",
    "preconnect",
    "dns-prefetch",
    "modulepreload",
    "prefetch",
    "manifest",
    "shortcut",
}
STYLE_URL = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


@dataclass
class Page(HTMLParser):
    """What one HTML file contains."""

    path: Path
    anchors: set[str] = field(default_factory=set)
    links: list[tuple[int, str]] = field(default_factory=list)
    fetches: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.in_style = False
        self.feed(self.path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        line = self.getpos()[0]
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        self.in_style = tag == "style"
        if tag in ("a", "area") and "href" in values:
            self.links.append((line, values["href"]))
        if tag == "link" and LINK_FETCHES & set(values.get("rel", "").split()):
            self.fetches.append((line, values.get("href", "")))
        for name in FETCHED.get(tag, ()):
            if name in values:
                urls = [part.split()[0] for part in values[name].split(",") if part.split()]
                self.fetches += [
                    (line, url) for url in (urls if name == "srcset" else [values[name]])
                ]
        for match in STYLE_URL.finditer(values.get("style", "")):
            self.fetches.append((line, match[1] or match[2]))

    def handle_endtag(self, tag: str) -> None:
        self.in_style = False

    def handle_data(self, data: str) -> None:
        if self.in_style:
            for match in STYLE_URL.finditer(data):
                self.fetches.append((self.getpos()[0], match[1] or match[2]))


def is_elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.netloc) or parts.scheme in ("http", "https", "ftp")


@dataclass
class Book:
    """A folder of pages and what they use."""

    root: Path
    pages: dict[Path, Page] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    is_partial: bool = False  # of a tree without later labs: their anchors are missing

    def __post_init__(self) -> None:
        self.root = self.root.resolve()
        for path in sorted(self.root.rglob("*.html")):
            self.pages[path] = Page(path)

    def complain(self, path: Path, line: int, what: str) -> None:
        self.problems.append(f"{path.relative_to(self.root)}:{line}: {what}")

    def target(self, path: Path, url: str) -> Path:
        """The file that a link from path means."""
        name = unquote(urlsplit(url).path)
        if not name:
            return path
        base = self.root if name.startswith("/") else path.parent
        target = (base / name.lstrip("/")).resolve()
        return target / "index.html" if target.is_dir() else target

    def check_target(self, path: Path, line: int, url: str, anchors: bool) -> None:
        target = self.target(path, url)
        if not target.is_file() or self.root not in target.parents:
            self.complain(path, line, f"{url} leads nowhere")
        elif anchors and (anchor := unquote(urlsplit(url).fragment)):
            if self.is_partial:
                return
            if target in self.pages and anchor not in self.pages[target].anchors:
                self.complain(path, line, f"{url}: that page has no such anchor")

    def check(self) -> list[str]:
        for path, page in self.pages.items():
            for line, url in page.links:
                if not is_elsewhere(url) and urlsplit(url).scheme in ("", "file"):
                    # The page for wrong addresses is shown under any of them: its links are rooted.
                    self.check_target(path, line, url, anchors=path.name != "404.html")
            for line, url in page.fetches:
                if url.startswith("data:"):
                    continue
                if is_elsewhere(url):
                    self.complain(path, line, f"{url} would be fetched from elsewhere")
                else:
                    self.check_target(path, line, url, anchors=False)
        for path in sorted(self.root.rglob("*.css")):
            for match in STYLE_URL.finditer(path.read_text()):
                url = match[1] or match[2]
                if url.startswith(("data:", "#")):
                    continue
                if is_elsewhere(url):
                    self.complain(path, 1, f"{url} would be fetched from elsewhere")
                else:
                    self.check_target(path, 1, url, anchors=False)
        if not self.pages:
            self.problems.append(f"{self.root}: no pages")
        return self.problems
