import numpy as np

from interest_migration.serving.reasons import Explanation, tasks_of


def test_reasons_in_words():
    answer = {
        "task": np.array([b"churn_short", b"next_category"], object),
        "category": np.array([b"", b"BABY FOODS"], object),
        "score": np.array([0.25, 0.5]),
        "event_index": np.array([[-1, -1], [3, -1]]),
        "event_contribution": np.array([[0.0, 0.0], [0.125, 0.0]]),
        "event_category": np.array([[b"", b""], [b"DIAPERS", b""]], object),
        "event_item": np.array([[b"", b""], [b"17", b""]], object),
        "event_action": np.array([[b"", b""], [b"purchase", b""]], object),
        "event_age_seconds": np.array([[0, 0], [3 * 86_400, 0]]),
        "interest": np.array([[b""], [b"DIAPERS"]], object),
        "interest_contribution": np.array([[0.0], [0.25]]),
        "number": np.array([[b"recency_days"], [b"recency_days"]], object),
        "number_contribution": np.array([[-0.0625], [0.0]]),
    }
    churn, category = tasks_of(answer)
    assert (churn["events"], churn["interests"]) == ([], [])
    assert category["events"][0]["event_item"] == "17"
    lines = list(Explanation("ab12", 0, [churn, category]).lines())
    assert lines == [
        "User ab12",
        "\nchurn short (0.250) because of",
        "  -0.062  recency days",
        "\nnext category BABY FOODS (0.500) because of",
        "  +0.125  purchase of DIAPERS, 3.0 days ago",
        "  +0.250  everything in DIAPERS",
        "  +0.000  recency days",
    ]
