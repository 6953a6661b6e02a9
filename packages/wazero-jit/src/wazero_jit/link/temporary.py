from contextlib import contextmanager
import ctypes
from .threads import Executions
from .callbacks import SharedWords
from .ticker import TickerControl
from .records import TRAPS
from wazero_api import TrapKind
class Threads:
    def __init__(self):
        self.e=Executions()
        self.words=SharedWords(self.e.cells, ctypes.addressof(self.e.ticker)+TickerControl.state.offset)
        self.e.ticker.state=0
    def enter_thread(self): self.e.enter_thread()
    def wake(self): pass
    def start(self, routines, space):
        self.e.install(routines.traps[TRAPS.index(TrapKind.CALL_STACK_EXHAUSTED)], routines.traps)
    def current(self): return self.e.current()
    def interrupt_all(self): pass
    def is_idle(self): return not any(self.e.active())
    @contextmanager
    def deadline(self, s): yield
