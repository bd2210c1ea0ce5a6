"""What columns are usually called, and what actions are usually called."""

from collections.abc import Mapping
from typing import Final

from interest_migration.sources.column_names import fold


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "user": _words(
        "user userid uid userno userpseudoid username visitor visitorid fullvisitorid customer customerid custid "
        "customerno customerkey client clientid member memberid memberno reviewer reviewerid buyer buyerid shopper "
        "shopperid account accountid household householdid householdkey person personid profileid consumerid "
        "anonymousid msno kunde kundennummer kundenid kundennr"
    ),
    "time": _words(
        "time timestamp ts t at date datetime day eventtime eventtimestamp eventdate eventdatetime createdat created "
        "occurredat servertime logtime actiontime clicktime visittime unixtime unixtimestamp unixreviewtime reviewtime "
        "reviewdate invoicedate orderdate ordertime orderdatetime orderpurchasetimestamp purchasedate purchasetime "
        "transactiondate transactiontime transactiontimestamp tdat redemptiondate timems tstamp zeit zeitpunkt datum"
    ),
    "action": _words(
        "action actiontype actionname event eventtype eventname type behavior behaviour behaviortype behaviourtype "
        "activity activitytype interaction interactiontype act op operation ereignis aktion"
    ),
    "item": _words(
        "parentasin item itemid sku skuid skuno product productid productno productcode prodid pid asin stockcode "
        "article articleid articleno goods goodsid materialid upc ean gtin contentid itemno itemcode nmid artikel "
        "artikelnummer artikelnr"
    ),
    "category_path": _words(
        "categorypath categorycode categories category categoryid cate cateid cat catid itemcategory productcategory "
        "producttype department maincategory maincat subcategory subcat subsubcategory breadcrumb breadcrumbs taxonomy "
        "productgroup productgroupname categoryname catename departmentname genre genres family aisle section "
        "kategorie warengruppe category1 category2 category3 cat1 cat2 cat3 l1 l2 l3 level1 level2 level3"
    ),
    "brand": _words("brand brandname brandid maker manufacturer vendor label"),
    "price": _words(
        "price unitprice saleprice listprice sellingprice itemprice productprice amount cost priceusd preis"
    ),
    "total": _words("total totalprice totalamount salesvalue linetotal revenue sales turnover paid salesamount"),
    "quantity": _words("quantity qty units count unitssold itemcount pieces numitems menge"),
    "text": _words(
        "reviewtext text reviewbody comment body content query searchquery searchterm searchterms keyword keywords "
        "message"
    ),
    "title": _words("title name productname productdisplayname prodname itemname description summary headline subject"),
    "session": _words("session sessionid usersession visit visitid sessionkey sid"),
    "platform": _words(
        "platform device devicetype devicecategory channel country os site app appname source storeid region shop"
    ),
    "parent": _words("parent parentid parentcategory parentcategoryid parentcat"),
    "property": _words("property attribute key propertyname attributename"),
    "value": _words("value propertyvalue attributevalue val"),
}
"""Role -> names that columns of this role often have, folded; the earlier, the more telling."""

TOKENS: Final[Mapping[str, tuple[str, ...]]] = {
    "user": _words("user customer visitor reviewer member buyer household shopper client"),
    "time": _words("time date timestamp created"),
    "action": _words("event action behavior behaviour activity"),
    "item": _words("item sku product asin article goods"),
    "category_path": _words("categor department breadcrumb taxonom"),
    "brand": _words("brand manufacturer"),
    "price": _words("price"),
    "quantity": _words("quantity qty"),
    "text": _words("review query search message"),
    "title": _words("title"),
    "session": _words("session"),
    "platform": _words("platform device channel"),
}
"""Role -> parts of names that hint at it."""

_OF_USERS: Final = _words(
    "reg birth signup update agent age level lv type group gender sex name segment session size comp count num"
)
_OF_ITEMS: Final = _words(
    "categor type name title price brand desc count num qty quantity group class propert rating views"
)
_OF_TEXTS: Final = _words("time date name id count num vote score rating type")
MISLEADING: Final[Mapping[str, tuple[str, ...]]] = {
    "user": _OF_USERS,
    "time": _OF_USERS,
    "item": _OF_ITEMS,
    "text": _OF_TEXTS,
}
"""Role -> parts of names that hint at an attribute of it instead."""

_WORDS_OF_ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "view": _words("view pv pageview productview viewitem viewcontent browse detail viewproduct show visit viewed"),
    "click": _words("click clickout itemclick tap clk clicked selectitem"),
    "cart": _words("cart addtocart atc add basket addtobasket addcart carted"),
    "favourite": _words("favourite favorite fav like wishlist addtowishlist collect bookmark save liked"),
    "purchase": _words(
        "purchase buy transaction order bought checkout sale pay paid payment conversion purchased ordered completed"
    ),
    "review": _words("review rating rate comment reviewed"),
    "search": _words("search query searched viewsearchresults"),
    "message": _words("message chat email mail push newsletter campaign"),
}
ACTION_WORDS: Final[Mapping[str, str]] = {word: action for action, words in _WORDS_OF_ACTIONS.items() for word in words}
"""Folded word -> contract action."""

IGNORED_WORDS: Final = frozenset(
    _words(
        "removefromcart remove uncart removecart removefrombasket unlike unfavourite unfavorite uncollect "
        "removefromwishlist refund return cancel cancelled canceled heartbeat ping impression login logout signup "
        "scroll sessionstart pageleave "
    )
)
"""Folded words that show no interest, or take one back."""

CODED_ACTIONS: Final[tuple[tuple[frozenset[str], str, Mapping[str, str], str], ...]] = (
    (
        frozenset({"userid", "skuid", "time", "type"}),
        "type",
        {"1": "view", "2": "cart", "3": "", "4": "purchase", "5": "favourite", "6": "click"},
        "JData (JD.com 2016)",
    ),
    (
        frozenset({"userid", "itemid", "behaviortype"}),
        "behaviortype",
        {"1": "view", "2": "favourite", "3": "cart", "4": "purchase"},
        "the Tianchi mobile recommendation logs",
    ),
)
"""Public logs with numbers for actions: their columns, the action column, code -> action ("" ignored), and a name."""


def name_weight(role: str, name: str) -> float:
    """Returns how much a name says that a column has a role: above 2 it is known for it, above 0 it hints at it.

    Example:
      user: "Customer ID" -> about 3; "user_hash" -> 1; "user_agent" -> 0; "price" -> 0.
    """
    folded = fold(name)
    known = NAMES.get(role, ())
    if folded in known:
        return 3.0 - known.index(folded) / len(known)
    if not any(token in folded for token in TOKENS.get(role, ())):
        return 0.0
    return 0.0 if any(part in folded for part in MISLEADING.get(role, ())) else 1.0
