"""TCP segments as bytes, built and taken apart by the host."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address

from grade.lab7.wire import Packet, checksum

TCP = 6
FLAGS = "FSRPAU"
WRAP = 1 << 32
END, NOP, MSS, SCALE, SACK_PERMITTED, SACK, TIMESTAMPS = 0, 1, 2, 3, 4, 5, 8
Blocks = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Options:
    """None: not there."""

    mss: int | None = None
    scale: int | None = None
    sack: bool = False
    stamps: tuple[int, int] | None = None  # TSval, TSecr
    blocks: Blocks = ()
    other: bytes = b""  # what stands in front of all these

    def pack(self) -> bytes:
        parts = [self.other]
        if self.mss is not None:
            parts.append(struct.pack(">BBH", MSS, 4, self.mss))
        if self.scale is not None:
            parts.append(struct.pack(">BBB", SCALE, 3, self.scale))
        if self.sack:
            parts.append(struct.pack(">BB", SACK_PERMITTED, 2))
        if self.stamps:
            parts.append(struct.pack(">BBII", TIMESTAMPS, 10, *(n % WRAP for n in self.stamps)))
        if self.blocks:
            edges = [edge % WRAP for block in self.blocks for edge in block]
            parts.append(struct.pack(f">BB{len(edges)}I", SACK, 2 + 4 * len(edges), *edges))
        whole = b"".join(parts)
        return whole + bytes([NOP]) * (-len(whole) % 4)

    @classmethod
    def of(cls, data: bytes) -> Options:
        """What a list of options says that is as it should be: ours to judge by."""
        found: dict[int, bytes] = {}
        while data and data[0] != END:
            if data[0] == NOP:
                data = data[1:]
                continue
            assert 2 <= data[1] <= len(data), "an option with an impossible length was sent"
            found[data[0]], data = data[2 : data[1]], data[data[1] :]
        edges = struct.unpack(f">{len(found.get(SACK, b'')) // 4}I", found.get(SACK, b""))
        return cls(
            mss=struct.unpack(">H", found[MSS])[0] if MSS in found else None,
            scale=found[SCALE][0] if SCALE in found else None,
            sack=SACK_PERMITTED in found,
            stamps=struct.unpack(">II", found[TIMESTAMPS]) if TIMESTAMPS in found else None,
            blocks=tuple(zip(edges[::2], edges[1::2], strict=True)),
        )


@dataclass(frozen=True)
class Segment:
    flags: str
    seq: int
    ack: int = 0
    data: bytes = b""
    window: int = 65535
    options: Options = field(default_factory=Options)
    source: int = 0
    to: int = 0

    def pack(self, source: IPv4Address, to: IPv4Address) -> bytes:
        """With the checksum for these addresses."""
        options = self.options.pack()
        bits = sum(1 << FLAGS.index(letter) for letter in self.flags)
        head = struct.pack(
            ">HHIIBBHHH", self.source, self.to, self.seq % WRAP, self.ack % WRAP,
            (20 + len(options)) // 4 << 4, bits, self.window, 0, 0,
        ) + options + self.data
        pseudo = source.packed + to.packed + struct.pack(">BBH", 0, TCP, len(head))
        return head[:16] + struct.pack(">H", checksum(pseudo + head)) + head[18:]

    @classmethod
    def of(cls, packet: Packet) -> Segment | None:
        """Of an IPv4 packet, if it is one and its checksum is right."""
        p = packet.payload
        pseudo = packet.source.packed + packet.to.packed + struct.pack(">BBH", 0, TCP, len(p))
        if packet.protocol != TCP or len(p) < 20 or checksum(pseudo + p):
            return None
        source, to, seq, ack, offset, bits, window = struct.unpack(">HHIIBBH", p[:16])
        size = (offset >> 4) * 4
        flags = "".join(letter for place, letter in enumerate(FLAGS) if bits >> place & 1)
        return cls(flags, seq, ack, p[size:], window, Options.of(p[20:size]), source, to)

    @property
    def span(self) -> int:
        """SEG.LEN of RFC 9293."""
        return len(self.data) + ("S" in self.flags) + ("F" in self.flags)

    def relative(self, iss: int, irs: int) -> Segment:
        """With numbers that count from the sender's ISN and the receiver's."""
        ack = (self.ack - irs) % WRAP if "A" in self.flags else 0
        blocks = tuple(((a - irs) % WRAP, (b - irs) % WRAP) for a, b in self.options.blocks)
        options = replace(self.options, blocks=blocks)
        return replace(self, seq=(self.seq - iss) % WRAP, ack=ack, options=options)

    def __str__(self) -> str:
        """As the tests write them: flags (without PSH), number:octets, ack."""
        flags = self.flags.replace("P", "") or "-"
        ack = f" ack {self.ack}" if "A" in self.flags else ""
        blocks = "".join(f" {a}-{b}" for a, b in self.options.blocks)
        return f"{flags} {self.seq}:{len(self.data)}{ack}{blocks}"
