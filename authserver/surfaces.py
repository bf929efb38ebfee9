"""All that the outside can reach, built from what is below: the public documents, and the pages with their JSON.

A new endpoint is mounted here, and nowhere else.
"""

import hashlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.types import ASGIApp

from authserver import __version__
from authserver.accounts.throttling import Limits
from authserver.capabilities import Capabilities, tokens_live
from authserver.clients.registering import limits
from authserver.live import Live
from authserver.oauth.authorize import Authorize
from authserver.oauth.device_authorization import DeviceAuthorization
from authserver.oauth.end_session import EndSession
from authserver.oauth.introspect import Introspect
from authserver.oauth.issuing import Issuing
from authserver.oauth.par import PushedRequests
from authserver.oauth.register import Register
from authserver.oauth.revoke import Revoke
from authserver.oauth.token import GRANT_TYPES, Token
from authserver.oauth.userinfo import UserInfo
from authserver.pages.account import AccountPage
from authserver.pages.connected_apps import ConnectedApps
from authserver.pages.consent import ConsentPage
from authserver.pages.desk import Desk
from authserver.pages.device import DevicePage
from authserver.pages.login import LoginPage
from authserver.pages.logout import LogoutPage
from authserver.pages.password import PasswordPage
from authserver.pages.refresh import RefreshEndpoint
from authserver.pages.theme import stylesheet
from authserver.pages.verify import VERIFY, VerifyEndpoint
from authserver.protocol import paths
from authserver.published.delivery import Delivery
from authserver.published.discovery import discovery_document
from authserver.published.documents import Document, Published, Source
from authserver.published.health import ALIVE, Readiness
from authserver.published.heard import HeardEndpoint
from authserver.published.jwks import jwks_document
from authserver.published.static import static_documents
from authserver.resource.verifier import Verifier
from authserver.sessions.current import CurrentSessions
from authserver.sessions.sign_in import SignIn
from authserver.settings import Settings
from authserver.tokens.access import AccessTokens
from authserver.tokens.current import CurrentTokens
from authserver.tokens.exchanged import Exchange, ExchangedTokens
from authserver.tokens.genuine import GenuineTokens
from authserver.tokens.granted import GrantedTokens
from authserver.tokens.hints import IdTokenHints
from authserver.tokens.id_token import IdTokens
from authserver.tokens.own import OwnTokens
from authserver.tokens.subject_tokens import SubjectTokens
from authserver.web.answers import Answers
from authserver.web.cookies import Cookies
from authserver.web.csrf import Csrf
from authserver.web.localization import Catalogs
from authserver.web.runner import Runner
from authserver.web.templating import Templates

PAGES: Final = Path(str(files("authserver.pages")))


def published(app: ASGIApp, parts: Capabilities, live: Live, feed: Delivery) -> Published:
    """Put what is answered from memory in front of `app`."""
    settings = parts.settings
    made = Published(app, _documents(settings, live), _apps(parts, live, feed))
    live.keyring.on_change(
        lambda snapshot: made.put(paths.JWKS, jwks_document(snapshot, settings.jwks_max_age))
    )
    return made


def _documents(settings: Settings, live: Live) -> dict[str, Document | Source]:
    algorithms, max_age = settings.signing_algorithms, settings.jwks_max_age
    discovery = discovery_document(
        settings.issuer,
        algorithms,
        max_age,
        grant_types=GRANT_TYPES,
        status_lists=settings.status_list,
    )
    return {
        paths.OPENID_CONFIGURATION: discovery,
        paths.AUTHORIZATION_SERVER: discovery,
        "/livez": ALIVE,
        "/readyz": Readiness(live.keyring, algorithms[0]),
        **static_documents(PAGES / "static", theme=_theme(settings)),
        **(live.status_lists.sources() if live.status_lists else {}),
    }


def _apps(parts: Capabilities, live: Live, feed: Delivery) -> dict[str, ASGIApp]:
    current = CurrentTokens(live.keyring, live.revoked, parts.settings.issuer, parts.clock)
    return {
        paths.REVOCATIONS: feed.document,
        paths.REVOCATION_STREAM: feed.stream,
        paths.HEARD: HeardEndpoint(live.services),
        VERIFY: VerifyEndpoint(parts.settings, current),
    }


def pages(
    parts: Capabilities, live: Live, tokens: AccessTokens, runner: Runner, answers: Answers
) -> Iterator[APIRouter]:
    """Build the hosted pages and the JSON endpoints beside them."""
    settings = parts.settings
    desk = _desk(parts, tokens, runner, answers)
    sign_in = SignIn(
        parts.hasher, Limits(), parts.lifetime, parts.sign_out, parts.clock, parts.status_indexes
    )
    origins = frozenset({settings.issuer, *settings.allowed_origins})
    own_tokens = OwnTokens(live.keyring, Verifier(settings.issuer, settings.token_audience), parts.clock)
    yield LoginPage(desk, sign_in, origins).router
    yield LogoutPage(desk, parts.sign_out, own_tokens).router
    yield RefreshEndpoint(desk).router
    yield AccountPage(desk, parts.sign_out).router
    yield ConnectedApps(desk, parts.grants).router
    yield PasswordPage(desk, sign_in, parts.consequences, parts.hasher, parts.password_rules).router
    yield ConsentPage(desk).router
    yield DevicePage(desk, parts.grants).router


def oauth(parts: Capabilities, live: Live, runner: Runner, answers: Answers) -> Iterator[APIRouter]:
    """Build the protocol endpoints of OAuth 2.1 and OpenID Connect."""
    settings = parts.settings
    issuing = Issuing(
        live.keyring.signer,
        settings.signing_algorithms[0],
        GrantedTokens(settings.issuer, settings.access_token_lifetime),
        IdTokens(settings.issuer, settings.access_token_lifetime),
    )
    yield Authorize(
        runner=runner,
        clock=parts.clock,
        current=CurrentSessions(parts.lifetime, parts.clock, parts.status_indexes),
        cookies=Cookies(settings),
        answers=answers,
        grants=parts.grants,
        hints=IdTokenHints(live.keyring, settings.issuer),
        issuer=settings.issuer,
    ).router
    yield EndSession(
        runner=runner,
        current=CurrentSessions(parts.lifetime, parts.clock, parts.status_indexes),
        cookies=Cookies(settings),
        csrf=Csrf(settings.issuer, settings.allowed_origins),
        answers=answers,
        sign_out=parts.sign_out,
        hints=IdTokenHints(live.keyring, settings.issuer),
        issuer=settings.issuer,
    ).router
    genuine = GenuineTokens(live.keyring, settings.issuer, parts.clock)
    current = CurrentTokens(live.keyring, live.revoked, settings.issuer, parts.clock)
    exchange = Exchange(
        SubjectTokens(genuine, current, parts.grants),
        ExchangedTokens(settings.issuer, settings.access_token_lifetime),
    )
    yield Token(runner, parts.clock, settings.issuer, parts.grants, issuing, exchange).router
    yield DeviceAuthorization(runner, parts.clock, Cookies(settings), settings.issuer).router
    yield Register(runner, parts.clock, settings.issuer, limits(settings), tokens_live(settings)).router
    yield PushedRequests(runner, parts.clock, settings.issuer).router
    yield Revoke(runner, parts.clock, settings.issuer, parts.grants, genuine, settings.clock_skew).router
    yield Introspect(
        runner=runner,
        clock=parts.clock,
        issuer=settings.issuer,
        grants=parts.grants,
        current=current,
        genuine=genuine,
        issuing=issuing,
    ).router
    yield UserInfo(
        runner=runner,
        clock=parts.clock,
        issuer=settings.issuer,
        current=current,
        signer=live.keyring.signer,
    ).router


def _desk(parts: Capabilities, tokens: AccessTokens, runner: Runner, answers: Answers) -> Desk:
    settings = parts.settings
    return Desk(
        answers=answers,
        cookies=Cookies(settings),
        csrf=Csrf(settings.issuer, settings.allowed_origins),
        runner=runner,
        clock=parts.clock,
        current=CurrentSessions(parts.lifetime, parts.clock, parts.status_indexes),
        tokens=tokens,
        issuer=settings.issuer,
        product_name=settings.product_name,
    )


def answers_of(settings: Settings) -> Answers:
    """Pages and errors in the languages there are, in the colours of the settings."""
    catalogs = Catalogs.load(PAGES / "locale")
    templates = Templates(
        PAGES / "templates",
        catalogs,
        product_name=settings.product_name,
        logo_url=settings.logo_url or None,
        static="/static",
        version=f"{__version__}-{hashlib.sha256(_theme(settings)).hexdigest()[:8]}",
    )
    return Answers(templates, catalogs)


def _theme(settings: Settings) -> bytes:
    return stylesheet(settings.accent_color).encode()
