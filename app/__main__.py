"""`python -m app` is the command `casebook`."""

import sys

from app.cli import main

sys.exit(main())
