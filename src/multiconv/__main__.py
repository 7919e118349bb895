"""``python -m multiconv`` is the command line."""

import sys

from multiconv.cli import main

sys.exit(main())
