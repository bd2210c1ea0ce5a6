import pyarrow as pa
from event_tables import BORIS, event, to_batch

from interest_migration.examples.settings import ExampleSettings
from interest_migration.examples.shard import prepare_shard
from interest_migration.examples.texts import choose_item_texts, collect_item_texts, tidy
from interest_migration.sources.tables import ItemTable


def chosen(*shards, items=None):
    tables = [collect_item_texts(pa.Table.from_batches([to_batch(events)]), items) for events in shards]
    return {row["item"]: row["text"] for row in choose_item_texts(tables).to_pylist()}


def texts_of(events, **settings):
    shard, _ = prepare_shard([to_batch(events)], ExampleSettings(**settings))
    return [shard.text.values[code].as_py().decode() for code in shard.text.codes.tolist()]


def test_texts_of_events_are_kept_only_on_demand():
    events = [event(5, action="search", text="red shoes")]
    assert texts_of(events) == [""]
    assert texts_of(events, text_characters=20) == ["red shoes"]


def test_only_what_users_typed_or_read_belongs_to_the_event():
    events = [event(1, action="view", text="Tea"), event(2, action="message", text="Sale"), event(3, action="search")]
    assert texts_of(events, text_characters=20) == ["", "Sale", ""]


def test_texts_are_one_short_line():
    assert tidy(pa.array([" red\n\tshoes  size 9", None]), 11).to_pylist() == ["red shoes s", None]


def test_an_item_without_any_text_is_put_into_words():
    assert chosen([event(1, item="1", category_path="food > tea", brand="Leaf"), event(2, item="2")]) == {
        "1": "food, tea, Leaf"
    }


def test_a_description_wins_over_words_and_the_most_frequent_one_over_others():
    tea = {"item": "1", "category_path": "food > tea"}
    first = [event(1, **tea, text="Tea"), event(2, **tea), event(3, **tea), event(4, **tea, text="Cha")]
    second = [event(5, **tea, text="Cha", user=BORIS)]
    assert chosen(first, second) == {"1": "Cha"}
    assert chosen(second, first) == {"1": "Cha"}


def test_equal_descriptions_go_by_their_letters():
    assert chosen([event(1, item="1", text="b"), event(2, item="1", text="a")]) == {"1": "a"}


def test_what_a_user_typed_describes_no_item():
    assert chosen([event(1, item="1", action="review", text="I hate it", category_path="tea")]) == {"1": "tea"}


def test_the_item_table_wins():
    items = ItemTable(pa.array(["1", "2"]), {"text": pa.array(["Green tea", None])}, 0)
    events = [event(1, item="1", text="x"), event(2, item="2", text="y"), event(3, item="3", brand="Own")]
    assert chosen(events, items=items) == {"1": "Green tea", "2": "y", "3": "Own"}


def test_a_log_without_items_has_no_texts():
    assert chosen([event(1)]) == {}
