"""Test Anything Protocol on standard output: one line a check."""

import sys
import traceback

_checks = []


def check(function):
    """Registers a function as a check; its docstring is its name."""
    _checks.append(function)
    return function


def run(*arguments):
    """Runs all checks in the order of the file and ends the program."""
    print(f"1..{len(_checks)}")
    failed = 0
    for number, function in enumerate(_checks, 1):
        try:
            function(*arguments)
        except Exception:
            failed += 1
            print(f"not ok {number} - {function.__doc__}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
        else:
            print(f"ok {number} - {function.__doc__}")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
