"""The column of user ids is read for pseudonyms and for nothing else: every other field is stored as it stands."""

from collections.abc import Mapping


def check_uses_of_user(column: str, fields: Mapping[str, object]) -> None:
    """Checks that no field but `user` reads the column of user ids.

    Args:
      column: That column.
      fields: Name -> field of a mapping, or a tuple of columns.

    Raises:
      ValueError: Naming the field.

    Example:
      user from "customer" and item from "customer", by mistake -> ValueError.
    """
    for name, field in fields.items():
        if name != "user" and column in _columns(field):
            raise ValueError(
                f"{name} must not read the column of user ids, {column!r}: it would store them as they are"
            )


def _columns(field: object) -> tuple[object, ...]:
    if isinstance(field, tuple):
        return field
    own = [getattr(field, name, None) for name in ("column", "total_column")]
    return (*own, *(getattr(field, "source_columns", None) or getattr(field, "levels", None) or ()))
