"""Settings of privacy."""

from pydantic import Field

from interest_migration.settings import Settings


class PrivacySettings(Settings):
    """What may be told about few people.

    Attributes:
      min_users: k: a value (category, item, brand, ...) with fewer distinct users in the train split never enters a
        vocabulary, so no model knows it and no answer names it; 1 is off.
    """

    min_users: int = Field(1, ge=1)
