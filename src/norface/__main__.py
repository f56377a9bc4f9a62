"""``python -m norface``."""

import sys

from norface.cli import main

if __name__ == "__main__":
    sys.exit(main())
