"""Where values are: operand ids, and what registers are for. The same for every ISA."""
