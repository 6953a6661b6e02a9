"""What compiled functions hang together by: contexts, trampolines to and from Python, threads, interrupts, stack traces."""
