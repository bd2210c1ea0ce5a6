"""Where the pseudonym key comes from: the environment, or a file that is made on first use."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from interest_migration.errors import ConfigError
from interest_migration.privacy.pseudonyms import MINIMUM_KEY_BYTES

KEY_VARIABLE = "INTEREST_MIGRATION_KEY"
_NEW_KEY_BYTES = 32


def load_key(file: Path, environment_variable: str = KEY_VARIABLE) -> bytes:
    """Returns the key from the environment if it is set there, else from the file, which is created if missing.

    Keys are written in hexadecimal. A new file holds 32 random bytes and only its owner can read it. Of several
    processes that start at once, all get the key of the one that was first.

    Args:
      file: Key file; keep it as long as the data, and apart from it.
      environment_variable: Name of the variable that takes precedence.

    Raises:
      ConfigError: If the key is too short or not hexadecimal, or the file cannot be read or created.
    """
    text = os.environ.get(environment_variable)
    if text is not None:
        return _parse(text, f"environment variable {environment_variable}")
    try:
        if not file.exists():
            _create(file)
        return _parse(file.read_text(encoding="utf-8"), f"key file {file}")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"expected a key file that can be read or created at {file}, received: "
            f"{getattr(error, 'strerror', None) or 'not text'}; or set {environment_variable}"
        ) from error


def replace_key(file: Path, kept: Path | None = None) -> None:
    """Puts a new random key in place of a file's key.

    At every moment the file holds one whole key, the old or the new one, so a replacement that was interrupted can be
    done again.

    Args:
      file: Key file.
      kept: Where the old key stays; None destroys it.

    Raises:
      ConfigError: If the folder cannot be written, or `kept` holds another key.
    """
    try:
        for leftover in file.parent.glob(f".{file.name}.*"):
            leftover.unlink(missing_ok=True)  # of a replacement that was killed
        with _new_key(file) as scratch:
            if kept is not None:
                _keep(file, kept)
            os.replace(scratch, file)  # noqa: PTH105 - atomic also where the target exists
            _sync(file.parent)
    except OSError as error:
        raise ConfigError(
            f"expected a key file that can be replaced at {file}, received: {error.strerror}; the key is unchanged"
        ) from error


def _create(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with _new_key(file) as scratch, suppress(FileExistsError):
        # A link appears whole or not at all, and never replaces the file of a process that was faster.
        os.link(scratch, file)


@contextmanager
def _new_key(file: Path) -> Iterator[Path]:
    """Gives a file beside `file` that holds a new key, which its owner alone can read; in the end it is removed."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
    scratch = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(secrets.token_hex(_NEW_KEY_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        yield scratch
    finally:
        scratch.unlink(missing_ok=True)


def _keep(file: Path, kept: Path) -> None:
    try:
        os.link(file, kept)
    except FileExistsError:
        if kept.read_bytes() != file.read_bytes():
            raise ConfigError(f"expected no other key in {kept}, received one; move it away") from None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parse(text: str, source: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        raise ConfigError(
            f"{source}: expected hexadecimal digits, received something else; "
            'make a key with: python -c "import secrets; print(secrets.token_hex(32))"'
        ) from None
    if len(key) < MINIMUM_KEY_BYTES:
        raise ConfigError(
            f"{source}: expected {2 * MINIMUM_KEY_BYTES} hexadecimal digits or more, received {2 * len(key)}"
        )
    return key
