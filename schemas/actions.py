"""What a user can do."""

from typing import Final

ACTIONS: Final = ("view", "click", "cart", "favourite", "purchase", "review", "search", "message")
"""`message` is a message or campaign in either direction."""
