"""Excel workbooks, which are not read, told from zip archives, which they are."""

import zipfile
from typing import Final

WORKBOOK_SUFFIXES: Final = (".xlsx", ".xlsm", ".xls", ".ods")
WORKBOOK: Final = "a workbook; save its sheet as CSV, in UTF-8 (in Excel: Save As, CSV UTF-8), and give that file"


def is_workbook(path: str) -> bool:
    """Whether a zip archive is an Excel workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False
