# Read by `make gdb`: the kernel's symbols are loaded, `cairn help` lists our commands.
set confirm off
set pagination off
set print pretty on
set architecture riscv:rv64
set disassemble-next-line auto
source scripts/gdb/cairn.py
cairn connect
