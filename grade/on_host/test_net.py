"""net on the host, with files and a netd that stand for the system's."""

from __future__ import annotations

from pathlib import Path

import pytest

from grade.on_host.build import needs_compiler
from grade.on_host.network import run

pytestmark = needs_compiler


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
