"""From valid function bodies to machine code. Knows no ISA but through `isa.interface`."""
