"""Which features share a vocabulary, and how a value becomes an id.

id 0        none (empty string) or padding
id 1..V     the vocabulary, most frequent first
id V + 1    out of vocabulary
"""

from typing import Final

from schemas.features import (
    BRAND_IDS,
    CATEGORY_IDS,
    CHILD_IDS,
    EVENT_BRAND,
    EVENT_CATEGORY,
    EVENT_CHILD,
    EVENT_ITEM,
    EVENT_PARENT,
    EVENT_PLATFORM,
    EVENT_TEXT,
    FUTURE_CATEGORIES,
    INTEREST_CATEGORY,
    INTEREST_IDS,
    ITEM_IDS,
    NEW_CATEGORIES,
    NEXT_CATEGORIES,
    NEXT_ITEMS,
    PARENT_IDS,
    PLATFORM_IDS,
    TEXT_IDS,
    label_name,
)

CATEGORIES, ITEMS, PARENTS, CHILDREN, BRANDS, PLATFORMS, TEXTS = (
    "categories",
    "items",
    "parents",
    "children",
    "brands",
    "platforms",
    "texts",
)
"""Names of the vocabularies: of their files in the transform graph and of their settings."""

COUNTED: Final = {
    CATEGORIES: (INTEREST_CATEGORY, NEXT_CATEGORIES, *FUTURE_CATEGORIES.values()),
    ITEMS: (EVENT_ITEM,),
    PARENTS: (EVENT_PARENT,),
    CHILDREN: (EVENT_CHILD,),
    BRANDS: (EVENT_BRAND,),
    PLATFORMS: (EVENT_PLATFORM,),
    TEXTS: (EVENT_TEXT,),
}
"""Vocabulary -> raw features whose values it counts. The interest profile holds every category of the events, once."""

LOOKED_UP: Final = {
    ITEM_IDS: (EVENT_ITEM, ITEMS),
    CATEGORY_IDS: (EVENT_CATEGORY, CATEGORIES),
    PARENT_IDS: (EVENT_PARENT, PARENTS),
    CHILD_IDS: (EVENT_CHILD, CHILDREN),
    BRAND_IDS: (EVENT_BRAND, BRANDS),
    PLATFORM_IDS: (EVENT_PLATFORM, PLATFORMS),
    TEXT_IDS: (EVENT_TEXT, TEXTS),
    INTEREST_IDS: (INTEREST_CATEGORY, CATEGORIES),
    **{
        label_name(name): (name, CATEGORIES)
        for name in (NEXT_CATEGORIES, *FUTURE_CATEGORIES.values(), *NEW_CATEGORIES.values())
    },
    label_name(NEXT_ITEMS): (NEXT_ITEMS, ITEMS),
}
"""Transformed feature -> raw feature and vocabulary that it is looked up in."""
