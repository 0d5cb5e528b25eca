"""The first module of the packaged program."""

import sys

from usage_viewer.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
