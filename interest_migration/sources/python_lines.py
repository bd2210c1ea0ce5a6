"""Lines with one JSON object each, or with a Python dictionary as some published files have it."""

import ast
import json
from typing import Any, Final

_PYTHON_STARTS: Final = (b"{'", b"{u'")


def parse_line(line: bytes) -> Any:
    """Returns the value of a line, None if it has none.

    A line that is no JSON counts as well if it is a Python dictionary of plain values, lists and dictionaries whose
    first key is in single quotes, as in the Amazon files of 2014: `{'asin': '1', 'price': None}`.
    """
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return _parse_python(line)


def _parse_python(line: bytes) -> Any:
    if not line.lstrip().startswith(_PYTHON_STARTS):
        return None
    try:
        return ast.literal_eval(line.decode().strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
