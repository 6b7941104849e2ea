"""Time limits that fit this machine: scaled by how fast it runs a known guest program.

The program is a counted loop behind OpenSBI, a few words of machine code of our own, so that
a broken kernel cannot distort the measure.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from grade.harness.child import death_signal
from grade.harness.failure import HarnessError
from grade.harness.qemu import MachineConfig, machine_arguments, require_qemu

REFERENCE_SECONDS = 0.2  # the calibration boot on the machine that the limits were written on
CALIBRATION_LIMIT = 120.0
CALIBRATION_PROGRAM = struct.pack(
    "<7I",
    0x001002B7,  # lui   t0, 0x100         the test device is at 0x100000
    0x00005337,  # lui   t1, 0x5
    0x55530313,  # addi  t1, t1, 0x555     0x5555: power off with status 0
    0x050003B7,  # lui   t2, 0x5000        80 Mi turns
    0xFFF38393,  # addi  t2, t2, -1
    0xFE039EE3,  # bnez  t2, -4
    0x0062A023,  # sw    t1, 0(t0)
) + struct.pack(
    "<I", 0x0000006F
)  # j .


@dataclass(frozen=True)
class Limits:
    """Turns seconds of the reference machine into seconds of this one."""

    scale: float = 1.0

    def seconds(self, reference: float) -> float:
        return reference * self.scale


def calibration_boot(qemu: str) -> float:
    """Boot the calibration program once; wall-clock seconds."""
    require_qemu(qemu)
    with tempfile.TemporaryDirectory(prefix="cairn-calibrate-") as folder:
        program = Path(folder) / "program"
        program.write_bytes(CALIBRATION_PROGRAM)
        arguments = machine_arguments(MachineConfig(kernel=program, qemu=qemu))
        start = time.monotonic()
        try:
            subprocess.run(
                [*arguments, "-serial", "none"],
                check=True,
                timeout=CALIBRATION_LIMIT,
                capture_output=True,
                preexec_fn=death_signal(),
            )  # noqa: PLW1509
        except subprocess.TimeoutExpired:
            raise HarnessError(
                f"{qemu} did not finish a tiny program in {CALIBRATION_LIMIT:.0f} s; "
                "is it the right version? (scripts/doctor)"
            ) from None
        except subprocess.CalledProcessError as error:
            raise HarnessError(f"{qemu} fails: {error.stderr.decode(errors='replace')}") from None
        return time.monotonic() - start


def calibrate(qemu: str, workers: int) -> Limits:
    """Measure this machine. Several guests at once on few cores need that much longer each."""
    measured = calibration_boot(qemu)
    crowd = max(1.0, 2.0 * workers / (os.cpu_count() or 1))
    return Limits(scale=max(1.0, measured / REFERENCE_SECONDS) * crowd)


def to_json(limits: Limits) -> str:
    return json.dumps({"scale": limits.scale})


def from_json(text: str) -> Limits:
    return Limits(scale=float(json.loads(text)["scale"]))
