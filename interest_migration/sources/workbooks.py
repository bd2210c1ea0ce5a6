"""Files that hold tables but are not read: workbooks and archives, and what to do with them."""

import zipfile
from pathlib import PurePath
from typing import Final

_WORKBOOK_SUFFIXES: Final = (".xlsx", ".xlsm", ".xls", ".ods")
_ARCHIVE_SUFFIXES: Final = (".zip", ".7z", ".rar", ".tar", ".tgz")
WORKBOOK: Final = "a workbook; save its sheet as CSV, in UTF-8 (in Excel: Save As, CSV UTF-8), and give that file"
_ARCHIVE: Final = "an archive; unpack it, and give the files in it"


def advice_for(name: str) -> str:
    """Returns what a file is, by its name, and what to do; nothing if it is neither workbook nor archive."""
    suffix = PurePath(name).suffix.lower()
    return WORKBOOK if suffix in _WORKBOOK_SUFFIXES else _ARCHIVE if suffix in _ARCHIVE_SUFFIXES else ""


def is_workbook(path: str) -> bool:
    """Whether the file is a zip archive with an Excel workbook in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False
