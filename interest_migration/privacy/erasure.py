"""The erasure list: users whose events and attributes no run may use.

    4711
    "4712",asked on 2 March
    4713.0

One raw user id per line, in the first column; it takes the same form as ids of the logs (`privacy.identifiers`).
Ids stay in the memory of the process that pseudonymises; what leaves it are pseudonyms.
"""

import csv
import hashlib
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from interest_migration.errors import ConfigError
from interest_migration.privacy.pseudonyms import Pseudonymiser


def make_pseudonymiser(key: bytes, erasure_list: Path | None) -> Pseudonymiser:
    """Returns the pseudonymiser of a key that knows the users of a list, if there is one.

    Raises:
      ConfigError: If the list cannot be read; no line of it is shown.
    """
    plain = Pseudonymiser(key)
    return plain if erasure_list is None else replace(plain, erased=erased_users(erasure_list, plain))


def erased_users(file: Path, pseudonymiser: Pseudonymiser) -> pa.StringArray:
    """Returns the distinct pseudonyms of a list, sorted.

    Raises:
      ConfigError: If the list cannot be read; no line of it is shown.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            ids = [row[0].strip() for row in csv.reader(stream) if row and row[0].strip()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        cause = getattr(error, "strerror", None) or "not a UTF-8 text with one user id per line"
        raise ConfigError(f"expected a readable erasure list {file}, received: {cause}") from None
    pseudonyms = pseudonymiser.pseudonyms(pa.array(ids, pa.string())).dictionary
    return pseudonyms.take(pc.sort_indices(pseudonyms))


def erasure_digest(pseudonymiser: Pseudonymiser) -> str:
    """Returns a text that differs whenever the erased users differ; empty if there are none.

    It is made of pseudonyms, so that without the key nobody can test whether an id is on the list.
    """
    if not len(pseudonymiser.erased):
        return ""
    return hashlib.sha256("\n".join(pseudonymiser.erased.to_pylist()).encode()).hexdigest()[:32]
