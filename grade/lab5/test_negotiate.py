"""Exercise 5.1: what driver and device agree on, against register files played on the host."""

from __future__ import annotations

import pytest

from grade.lab5.conftest import Dice, Programs

VERSION_1 = 1 << 32
ACKNOWLEDGE, DRIVER, FEATURES_OK, FAILED = 1, 2, 8, 128
ENOTSUP = 95
DEVICES = 400


@pytest.mark.exercise("5.1")
def test_features_that_both_want(programs: Programs, dice: Dice) -> None:
    devices = []
    for number in range(DEVICES):
        offered, wanted = dice.random.getrandbits(64), dice.random.getrandbits(64)
        offered = offered | VERSION_1 if number % 4 else offered & ~VERSION_1
        refused = dice.random.getrandbits(64) if number % 3 == 0 else 0
        refused &= dice.random.getrandbits(64)
        devices.append((offered, wanted, refused & ~VERSION_1, dice.random.randrange(2)))
    text = "".join(f"{a:x} {b:x} {c:x} {d:x}\n" for a, b, c, d in devices)
    lines = programs("negotiate").run(text).splitlines()
    assert len(lines) == len(devices), "the program ended before the last device"
    for (offered, wanted, refused, _), line in zip(devices, lines, strict=True):
        fields = line.split()
        result, late = int(fields[0]), int(fields[4])
        features, accepted, status = (int(x, 16) for x in fields[1:4])
        what = (
            f"a device offers {offered:#018x}, the driver wants {wanted:#018x}, the device refuses "
            f"any of {refused:#x}; {dice}\n"
        )
        agreed = offered & (wanted | VERSION_1)
        if not offered & VERSION_1 or agreed & refused:
            why = "it refuses" if offered & VERSION_1 else "VERSION_1 is not offered"
            assert result == -ENOTSUP, f"{what}{why}: expected -ENOTSUP, got {result}"
            assert status & FAILED, f"{what}{why}: expected FAILED in the status, got {status:#x}"
            continue
        assert result == 0, f"{what}expected 0, got {result}; accepted: {accepted:#018x}"
        assert accepted == agreed, f"{what}expected to accept {agreed:#018x}, got {accepted:#018x}"
        assert features == agreed, f"{what}transport->features is {features:#018x}"
        expected = ACKNOWLEDGE | DRIVER | FEATURES_OK
        assert status == expected, f"{what}expected status {expected:#x}, got {status:#x}"
        assert not late, f"{what}features were written when FEATURES_OK was set already"
