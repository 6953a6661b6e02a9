"""For all tests: what they start can be interrupted."""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that runs the tests in the background has SIGINT ignored, and every process started from here would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
