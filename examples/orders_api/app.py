"""An API for orders: JSON, verified with the login service's public keys alone.

The page of one other origin may call it with the token cookie (CORS). A browser sends that cookie whoever asks it to,
so on a POST the guard believes it only from that page or from our own /docs, and answers 403 to any other.
"""

import os
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import urlsplit

import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from pydantic import BaseModel, StringConstraints

from authserver.resource.fastapi import Guard, Principal

LOGIN_SERVICE = os.environ.get("LOGIN_SERVICE", "http://127.0.0.1:8000")
ORDERS_API = os.environ.get("ORDERS_API", "http://127.0.0.1:8001")
PAGE = os.environ.get("PAGE", "http://127.0.0.1:8003")
KEPT = 20  # orders of one account


class Order(BaseModel):
    item: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


Book = defaultdict[str, deque[Order]]  # by account: `sub`, which never changes; a name may


@asynccontextmanager
async def empty_book(_app: FastAPI) -> AsyncIterator[dict[str, Book]]:
    yield {"book": Book(lambda: deque(maxlen=KEPT))}


guard = Guard(LOGIN_SERVICE, audience=LOGIN_SERVICE, service="orders", allowed_origins=[PAGE])
app = FastAPI(title="Orders", lifespan=empty_book)
app.add_middleware(
    CORSMiddleware,
    allow_origins=[PAGE],
    allow_credentials=True,
    allow_methods=["GET", "POST"],
    allow_headers=["Content-Type"],
)


def book_of(request: Request) -> Book:
    found: Book = request.state.book
    return found


SignedIn = Annotated[Principal, Depends(guard)]
TheBook = Annotated[Book, Depends(book_of)]


@app.get("/api/me")
def me(user: SignedIn) -> dict[str, str | list[str]]:
    return {"sub": user.sub, "roles": sorted(user.roles)}


@app.get("/api/orders")
def orders(user: SignedIn, book: TheBook) -> list[Order]:
    return list(book[user.sub])


@app.post("/api/orders", status_code=201)
def place(order: Order, user: SignedIn, book: TheBook) -> Order:
    book[user.sub].append(order)
    return order


if __name__ == "__main__":
    port = urlsplit(ORDERS_API).port or 8001
    print(f"Orders API: {ORDERS_API}/docs (people sign in at {LOGIN_SERVICE})", flush=True)  # noqa: T201 - a program's word
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", server_header=False)
