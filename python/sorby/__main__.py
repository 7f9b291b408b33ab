"""The program `sorby`: ``python -m sorby`` and the console script."""

import signal
import sys

from sorby import _sorby


def main() -> int:
    """Run the program with the arguments of the command line; gives its exit code."""
    # Python would only note Ctrl-C and go on; the program listens itself where there is work to keep.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _sorby.main(["sorby", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
