"""What an app is told about a person, by UserInfo and in the ID token: no more than it was allowed.

`sub` is not among it: that is the authorization's (`Live.subject`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from authserver.accounts import store as accounts
from authserver.accounts.profile import BY_SCOPE, VERIFIED, Profile
from authserver.accounts.store import Account
from authserver.authorizations.grants import Live
from authserver.authorizations.store import Authorization
from authserver.clock import seconds


def in_userinfo(
    account: Account, profile: Profile, held: Authorization, scope: Iterable[str]
) -> dict[str, Any]:
    """Answer the claims of a token's scopes (OIDC Core §5.4), and those that were asked for one by one (§5.5)."""
    by_scope = [name for each in scope for name in BY_SCOPE.get(each, ())]
    return _told(account, profile, (*by_scope, *held.claims.get("userinfo", ())))


def in_id_token(db: Connection, live: Live) -> Mapping[str, Any]:
    """Answer what was asked for one by one; where nothing was, which is nearly always, nothing is read."""
    asked = live.authorization.claims.get("id_token", ())
    return _told(live.account, accounts.profile(db, live.account.id), asked) if asked else {}


def _told(account: Account, profile: Profile, names: Iterable[str]) -> dict[str, Any]:
    known = {
        "name": account.display_name,
        "preferred_username": account.username,
        "updated_at": seconds(account.created_at),
        **_unverified(profile),
        **profile.claims,
        "roles": list(account.roles),
        "groups": list(profile.groups),
    }
    return {name: known[name] for name in names if known.get(name) not in (None, [])}


def _unverified(profile: Profile) -> dict[str, bool]:
    """Say so where nobody verified it: an app that finds no `email_verified` may believe what it likes."""
    return {flag: False for claim, flag in VERIFIED.items() if claim in profile.claims}
