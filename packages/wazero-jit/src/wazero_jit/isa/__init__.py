"""Instruction sets: what is different between processors, behind one interface."""
