"""Names for kernel addresses, from the kernel's own symbol table."""

from __future__ import annotations

import bisect
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

NM_PROGRAMS = ("riscv64-unknown-elf-nm", "riscv64-linux-gnu-nm", "llvm-nm", "nm")
REGISTER_LINE = re.compile(
    r"^\s*(?P<name>pc|sepc|scause|stval|satp)\s+(?P<value>[0-9a-f]+)", re.MULTILINE
)


@dataclass(frozen=True)
class Symbols:
    """The functions of an ELF file, sorted by address."""

    addresses: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, elf: Path) -> Symbols:
        """Empty when no nm can read the file: names are a help, never a requirement."""
        for program in NM_PROGRAMS:
            if shutil.which(program) and elf.exists():
                answer = subprocess.run(
                    [program, "-n", str(elf)], capture_output=True, text=True, check=False
                )
                found = re.findall(r"^([0-9a-f]+) [tT] (\S+)$", answer.stdout, re.MULTILINE)
                if found:
                    return cls(tuple(int(a, 16) for a, _ in found), tuple(n for _, n in found))
        return cls()

    def name(self, address: int) -> str:
        """`function+0x12`, or nothing for an address below the kernel."""
        index = bisect.bisect_right(self.addresses, address) - 1
        if index < 0 or address - self.addresses[index] > 0x10000:
            return ""
        return f"{self.names[index]}+{address - self.addresses[index]:#x}"


def describe_harts(registers: str, symbols: Symbols) -> str:
    """`info registers -a` of QEMU's monitor in one readable line per hart."""
    lines = []
    for hart, part in enumerate(re.split(r"^CPU#\d+", registers, flags=re.MULTILINE)[1:]):
        values = {m["name"]: int(m["value"], 16) for m in REGISTER_LINE.finditer(part)}
        shown = [f"{name} {value:#x}" for name, value in values.items()]
        name = symbols.name(values.get("pc", 0))
        lines.append(f"hart {hart}: {f'in {name}, ' if name else ''}{', '.join(shown)}")
    return "\n".join(lines)
