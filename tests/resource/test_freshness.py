from authserver.resource.freshness import Freshness
from authserver.resource.refusal import Reason, Refusal


def test_a_current_list_is_accepted() -> None:
    assert Freshness().judge(0.5) is None
    assert Freshness(beyond="refuse").judge(30.0) is None


def test_by_default_an_outage_of_the_issuer_does_not_stop_services() -> None:
    assert Freshness().judge(3600.0) is None


def test_a_service_that_chose_so_refuses_beyond_its_limit() -> None:
    refusal = Freshness(max_staleness=10, beyond="refuse").judge(10.5)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.status) == (Reason.STALE, 503)


def test_without_any_list_nothing_is_accepted_whatever_was_chosen() -> None:
    for freshness in (Freshness(), Freshness(beyond="refuse")):
        refusal = freshness.judge(None)
        assert refusal is not None
        assert refusal.reason is Reason.UNAVAILABLE
