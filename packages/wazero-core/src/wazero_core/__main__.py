"""``python -m wazero_core`` is the `wazero` command."""

import sys

from wazero_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
