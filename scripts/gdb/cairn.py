"""gdb commands that show Cairn's kernel objects: `cairn help` lists them.

They read the kernel's own structures through its debug information, so they work at any stop:
in user mode, in the kernel, and after a panic.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import gdb

PAGE_SHIFT = 12
PTE_VALID, PTE_LEAF = 1, 0xE
PTE_LETTERS = ((2, "r"), (4, "w"), (8, "x"), (16, "u"), (32, "g"), (64, "a"), (128, "d"))
RIGHT_LETTERS = "SRPrwxDTMB"  # in the order of enum handle_rights
OBJECT_NAMES = {1: "process", 2: "channel", 3: "session", 4: "memory", 5: "device"}
EVENT_NAMES = {1: "call", 2: "recv", 3: "reply", 4: "pulse", 5: "closed", 6: "error"}
HANDLE_INDEX_BITS = 12
HANDLE_PAGE_ENTRIES = 256
SUPERVISOR = 1
TRACE_SHOWN = 40


@contextlib.contextmanager
def kernel_memory() -> Iterator[None]:
    """QEMU translates addresses for the mode that the hart is in; kernel pages need supervisor."""
    mode = int(gdb.parse_and_eval("$priv"))
    if mode != SUPERVISOR:
        gdb.execute(f"set $priv = {SUPERVISOR}")
    try:
        yield
    finally:
        if mode != SUPERVISOR:
            gdb.execute(f"set $priv = {mode}")


def kernel_type(name: str) -> gdb.Type:
    return gdb.lookup_type(f"struct {name}")


def offset_of(struct: str, field: str) -> int:
    return next(f.bitpos // 8 for f in kernel_type(struct).fields() if f.name == field)


def elements(head: gdb.Value, struct: str, link: str) -> Iterator[gdb.Value]:
    """The structs on a list; ends also when the list is damaged and no longer closes."""
    start, position, offset = int(head.address), int(head["next"]), offset_of(struct, link)
    for _ in range(4096):
        if position == start or position == 0:
            return
        element = gdb.Value(position - offset).cast(kernel_type(struct).pointer()).dereference()
        yield element
        position = int(element[link]["next"])
    print("  (the list does not end)")


def length(head: gdb.Value) -> int:
    count, position = 0, int(head["next"])
    while position not in (0, int(head.address)) and count < 4096:
        position = int(gdb.Value(position).cast(kernel_type("list").pointer())["next"])
        count += 1
    return count


def text(value: gdb.Value) -> str:
    """A char array up to its NUL."""
    return (
        value.string(errors="replace")
        if value.type.code == gdb.TYPE_CODE_PTR
        else bytes(int(value[i]) & 0xFF for i in range(value.type.sizeof))
        .split(b"\0")[0]
        .decode(errors="replace")
    )


def enum_name(enum: str, value: int, prefix: str) -> str:
    for field in gdb.lookup_type(f"enum {enum}").fields():
        if field.enumval == value:
            return field.name.removeprefix(prefix).lower()
    return str(value)


def processes() -> Iterator[gdb.Value]:
    table = gdb.parse_and_eval("process_table")
    for slot in range(table.type.range()[1] + 1):
        if int(table[slot]):
            yield table[slot].dereference()


def find_process(argument: str) -> gdb.Value:
    """By pid, or by name."""
    for process in processes():
        if argument in (str(int(process["pid"])), text(process["name"])):
            return process
    raise gdb.GdbError(f"no process {argument!r}; `cairn ps` lists them")


def process_name(pid: int) -> str:
    names = [text(process["name"]) for process in processes() if int(process["pid"]) == pid]
    return names[0] if names else f"({pid}, gone)"


def channel_name(pointer: gdb.Value) -> str:
    return f"channel {int(pointer['id'])}" if int(pointer) else "nothing"


def thread_text(thread: gdb.Value) -> str:
    """What a thread does, or waits for."""
    state = enum_name("thread_state", int(thread["state"]), "THREAD_")
    if state == "running":
        state += f" on hart {int(thread['hart']['id'])}"
    elif state == "calling":
        state += f" {channel_name(thread['channel'])}, not yet received"
    elif state == "served":
        server = thread["server_process"]
        state += f" by {text(server['name'])} ({int(server['pid'])})" if int(server) else ""
    elif state == "receiving":
        state += (
            f" on {channel_name(thread['channel'])}" if int(thread["channel"]) else " (sleeping)"
        )
    return state


def show_processes(argument: str) -> None:
    """cairn ps: every process and what its threads do."""
    print(f"{'pid':>5} {'name':<16} {'from':>5} {'pages':>6} {'calls':>8} {'prio':>4}  threads")
    for process in processes():
        threads = [
            (int(t["priority"]), thread_text(t))
            for t in elements(process["threads"], "thread", "process_link")
        ]
        first = threads[0] if threads else (0, "dead" if process["dead"] else "not started")
        print(
            f"{int(process['pid']):>5} {text(process['name']):<16} {int(process['creator']):>5} "
            f"{int(process['account']['pages']):>6} {int(process['calls']):>8} {first[0]:>4}  {first[1]}"
        )
        for priority, state in threads[1:]:
            print(f"{'':>44} {priority:>4}  {state}")


def rights_text(rights: int) -> str:
    return "".join(letter if rights >> bit & 1 else "-" for bit, letter in enumerate(RIGHT_LETTERS))


def object_text(pointer: gdb.Value) -> str:
    """One line about the object behind a handle."""
    kind = OBJECT_NAMES.get(int(pointer["class"]["type"]), f"type {int(pointer['class']['type'])}?")

    def as_struct(name: str) -> gdb.Value:
        return pointer.cast(kernel_type(name).pointer()).dereference()

    if kind == "process":
        process = as_struct("process")
        return f"process {int(process['pid'])} {text(process['name'])}"
    if kind == "channel":
        return f"channel {int(as_struct('channel')['id'])}"
    if kind == "session":
        session = as_struct("session")
        return (
            f"session of channel {int(session['channel']['id'])}, badge {int(session['badge']):#x}"
        )
    if kind == "memory":
        memory = as_struct("memory")
        return f"memory, {int(memory['pages'])} pages, {int(memory['populated'])} populated"
    if kind == "device":
        device = as_struct("device")
        if device["is_bus"]:
            return "device bus"
        info = device["info"]
        place = f"{int(info['base']):#x}, interrupt {int(info['irq'])}"
        return f"device {text(info['compatible'])} at {place}"
    return kind


def show_handles(argument: str) -> None:
    """cairn handles PID|NAME: a process's handle table. Rights: S send, R receive, P pulse, r w x
    map, D duplicate, T transfer, M manage, B mint a badge."""
    process = find_process(argument)
    pages = process["handles"]["pages"]
    print(f"{'index':>5} {'handle':>10} {'rights':<10}  object")
    for page in range(pages.type.range()[1] + 1):
        if not int(pages[page]):
            continue
        for slot in range(HANDLE_PAGE_ENTRIES):
            entry = pages[page][slot]
            if int(entry["object"]):
                index = page * HANDLE_PAGE_ENTRIES + slot
                value = int(entry["generation"]) << HANDLE_INDEX_BITS | index
                print(
                    f"{index:>5} {value:>10} {rights_text(int(entry['rights'])):<10}  "
                    f"{object_text(entry['object'])}"
                )


def show_channels(argument: str) -> None:
    """cairn channels: every channel, who made it, who serves it, and who waits on it."""
    print(
        f"{'id':>5} {'made by':<16} {'served by':<16} {'calls':>8} {'callers':>7} "
        f"{'receivers':>9}  pulses"
    )
    for channel in elements(
        gdb.parse_and_eval("'kernel/ipc/channel.c'::channels"), "channel", "link"
    ):
        if int(channel["serve"]):
            server = "the kernel"
        elif int(channel["server"]):
            server = text(channel["server"]["process"]["name"])
        else:
            server = "several" if channel["shared"] else "nobody"
        print(
            f"{int(channel['id']):>5} {process_name(int(channel['payer']['pid'])):<16} {server:<16} "
            f"{int(channel['stats']['calls']):>8} {length(channel['callers']):>7} "
            f"{length(channel['receivers']):>9}  {int(channel['pulses']):#x}"
        )


def read_table(address: int) -> memoryview:
    return memoryview(bytes(gdb.selected_inferior().read_memory(address, 4096))).cast("Q")


def leaves(
    table: int, level: int, base: int, direct_map: int, entries: range
) -> Iterator[tuple[int, int, int, int]]:
    """(virtual, physical, size, flags) of every leaf below a table, in order."""
    for index, pte in enumerate(read_table(table)):
        if index not in entries or not pte & PTE_VALID:
            continue
        virtual = base | index << PAGE_SHIFT + 9 * level
        physical = pte >> 10 << PAGE_SHIFT
        if pte & PTE_LEAF:
            yield virtual, physical, 1 << PAGE_SHIFT + 9 * level, pte & 0xFF
        elif level:
            yield from leaves(direct_map + physical, level - 1, virtual, direct_map, range(512))


def merged(found: Iterator[tuple[int, int, int, int]]) -> Iterator[tuple[int, int, int, int]]:
    """Neighbours with the same permissions, next to each other in both spaces, as one."""
    current: tuple[int, int, int, int] | None = None
    for virtual, physical, size, flags in found:
        if current and (current[0] + current[2], current[1] + current[2], current[3]) == (
            virtual,
            physical,
            flags,
        ):
            current = (*current[:2], current[2] + size, flags)
            continue
        if current:
            yield current
        current = (virtual, physical, size, flags)
    if current:
        yield current


def show_page_table(argument: str) -> None:
    """cairn pagetable [PID|NAME]: what is mapped in the user half; without an argument, the
    kernel's half."""
    direct_map = int(gdb.parse_and_eval("kernel_start").address) & ~((1 << 38) - 1)
    if argument:
        root, half = int(find_process(argument)["space"]["root"]), range(256)
    else:
        root, half = int(gdb.parse_and_eval("kernel_page_table")), range(256, 512)
    print(f"{'virtual':<41} {'physical':<12} {'bytes':>10}  flags")
    for virtual, physical, size, flags in merged(leaves(root, 2, 0, direct_map, half)):
        if virtual >> 38:
            virtual |= 0xFFFFFF8000000000
        letters = "".join(letter if flags & bit else "-" for bit, letter in PTE_LETTERS)
        print(
            f"{virtual:#018x} - {virtual + size - 1:#018x}  {physical:#012x} {size:>#10x}  "
            f"{letters}"
        )


def show_trace(argument: str) -> None:
    """cairn trace [N|on|off]: the last N messages of the IPC trace, or switch it."""
    if argument in ("on", "off"):
        gdb.execute(f"set variable trace_on = {int(argument == 'on')}")
        return
    shown = int(argument) if argument else TRACE_SHOWN
    ring = gdb.parse_and_eval("'kernel/ipc/trace.c'::ring")
    following = int(gdb.parse_and_eval("'kernel/ipc/trace.c'::next_entry"))
    size = ring.type.range()[1] + 1
    if not following:
        print(
            "The trace is empty"
            + ("." if gdb.parse_and_eval("trace_on") else "; `cairn trace on` starts it.")
        )
    names = {int(process["pid"]): text(process["name"]) for process in processes()} | {0: "kernel"}
    for sequence in range(max(0, following - min(size, shown)), following):
        entry = ring[sequence % size]
        sender, receiver = (
            names.get(int(entry[side]), str(int(entry[side]))) for side in ("from", "to")
        )
        event = EVENT_NAMES.get(int(entry["event"]), "?")
        print(
            f"{int(entry['time']) / 1e6:>12.3f} ms  {event:<6} {sender:>10} -> {receiver:<10} "
            f"channel {int(entry['channel']):<4} type {int(entry['type']):#x} len {int(entry['len'])} "
            f"result {int(entry['result'])}"
        )


def kernel_file() -> Path:
    for objfile in gdb.objfiles():
        if objfile.filename and Path(objfile.filename).name == "kernel.elf":
            return Path(objfile.filename)
    raise gdb.GdbError("load build/kernel.elf first")


loaded_program: list[str] = []


def load_user_symbols(argument: str) -> None:
    """cairn user PROGRAM: load a user program's symbols, in place of the last one's: all programs
    have the same addresses. Then, for example: `hbreak main`."""
    build = kernel_file().parent
    found = [
        build / folder / argument
        for folder in ("bin", "boot", "test")
        if argument and (build / folder / argument).is_file()
    ]
    if not found:
        raise gdb.GdbError(f"no program {argument!r} in {build}/bin, boot or test")
    for old in loaded_program:
        gdb.execute(f"remove-symbol-file {old}", to_string=True)
    loaded_program.clear()
    gdb.execute(f"add-symbol-file {found[0]}", to_string=True)
    loaded_program.extend(
        objfile.filename
        for objfile in gdb.objfiles()
        if objfile.filename and Path(objfile.filename).name == argument
    )
    entry = gdb.lookup_global_symbol("main")
    print(
        f"Symbols of {found[0]}" + (f", main at {int(entry.value().address):#x}" if entry else "")
    )


def connect(argument: str) -> None:
    """cairn connect: attach to `make qemu-gdb` (GDBPORT= for TCP), if not attached yet."""
    if gdb.selected_inferior().pid:
        return
    port = os.environ.get("GDBPORT")
    place = (
        f"localhost:{port}"
        if port
        else os.environ.get("CAIRN_GDB") or str(kernel_file().parent / "gdb.sock")
    )
    if not port and not Path(place).exists():
        print(f"Nothing listens on {place}: start `make qemu-gdb`, then `cairn connect`.")
        return
    gdb.execute(f"target remote {place}")


COMMANDS: dict[
    str, tuple[Callable[[str], None], bool]
] = {  # what it runs, whether it reads the kernel
    "ps": (show_processes, True),
    "handles": (show_handles, True),
    "channels": (show_channels, True),
    "pagetable": (show_page_table, True),
    "trace": (show_trace, True),
    "user": (load_user_symbols, False),
    "connect": (connect, False),
}


class Cairn(gdb.Command):
    """Cairn's kernel objects: `cairn help` lists what can be shown."""

    def __init__(self) -> None:
        super().__init__("cairn", gdb.COMMAND_DATA)

    def complete(self, line: str, word: str) -> list[str]:
        return [name for name in COMMANDS if name.startswith(word)]

    def invoke(self, line: str, from_tty: bool) -> None:
        name, _, argument = line.strip().partition(" ")
        if name in ("", "help"):
            for function, _ in COMMANDS.values():
                print(" ".join((function.__doc__ or "").split()))
            return
        if name not in COMMANDS:
            raise gdb.GdbError(f"no command {name!r}; `cairn help` lists them")
        function, reads_kernel = COMMANDS[name]
        with kernel_memory() if reads_kernel else contextlib.nullcontext():
            function(argument.strip())


Cairn()
