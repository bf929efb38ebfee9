"""Many wait for one thing, and nobody else has to wait while they are told."""

import asyncio

import pytest

from authserver.published.news import AT_ONCE, News

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_news_wakes_everybody_in_groups_and_serves_others_in_between() -> None:
    news = News()
    waiting = [asyncio.ensure_future(news.wait(30)) for _ in range(100)]
    await asyncio.sleep(0)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while any(not each.done() for each in waiting):
            turns += 1
            await asyncio.sleep(0)

    await asyncio.gather(news.tell(), others())
    assert turns >= 100 // AT_ONCE


async def test_nobody_waits_for_news_that_will_not_come() -> None:
    news = News()
    waiting = asyncio.ensure_future(news.wait(30))
    await asyncio.sleep(0)
    news.end()
    await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(news.wait(30), 5)


async def test_who_is_gone_does_not_wait() -> None:
    news, gone = News(), asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(news.wait(30, gone))
    await asyncio.sleep(0)
    gone.set_result(None)
    await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(news.wait(30, gone), 5)


async def test_a_wait_ends_by_itself() -> None:
    await asyncio.wait_for(News().wait(0.001), 5)
