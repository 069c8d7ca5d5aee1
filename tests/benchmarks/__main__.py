"""`make bench` and `python -m tests.benchmarks`."""

import sys

if __name__ == "__main__":
    # Each process that is begun from here takes this module up first. The product's own is as light.
    from tests.benchmarks.run import main

    sys.exit(main())
