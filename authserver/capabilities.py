"""The capabilities, built from the settings once: for the server and for the command line alike.

A test hands in its own clock, its own key pairs and a cheap password hash; nothing else is ever replaced.
"""

from dataclasses import dataclass
from datetime import timedelta

from authserver.accounts.hashing import Parameters, PasswordHasher
from authserver.accounts.passwords import PasswordRules
from authserver.authorizations.grants import Grants
from authserver.clock import Clock, SystemClock
from authserver.database import Database
from authserver.deliveries.telling import tell_apps
from authserver.keyring.generation import Generate, generator
from authserver.keyring.rotation import Rotation
from authserver.keyring.states import Timing
from authserver.keyring.vault import Vault, vault_for
from authserver.maintenance import Maintenance
from authserver.outgoing.requests import Outgoing
from authserver.sessions.consequences import Consequences
from authserver.sessions.lifetime import Lifetime
from authserver.sessions.sign_out import SignOut
from authserver.settings import Settings
from authserver.status_lists.indexes import StatusIndexes


@dataclass(frozen=True, slots=True)
class Outside:
    """What a test may replace."""

    clock: Clock
    generate: Generate
    hashing: Parameters


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Everything below the surfaces, ready to use."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    rotation: Rotation
    maintenance: Maintenance
    lifetime: Lifetime
    sign_out: SignOut
    consequences: Consequences
    grants: Grants
    outgoing: Outgoing
    status_indexes: StatusIndexes | None
    hasher: PasswordHasher
    password_rules: PasswordRules


def outside(settings: Settings) -> Outside:
    return Outside(SystemClock(), generator(settings.rsa_key_size), Parameters())


def build(settings: Settings, given: Outside | None = None) -> Capabilities:
    """Build the capabilities. Nothing is connected to and no file is touched yet."""
    world = given or outside(settings)
    database = Database(settings.database_address, connections=settings.database_connections)
    vault = vault_for(settings)
    rotation = Rotation(database, vault, world.generate, timing(settings), world.clock)
    lifetime = Lifetime(settings.session_idle_timeout, settings.session_lifetime)
    sign_out = SignOut(tokens_live(settings), tell_apps, status_lists=settings.status_list)
    return Capabilities(
        settings=settings,
        clock=world.clock,
        database=database,
        vault=vault,
        rotation=rotation,
        maintenance=Maintenance(database, rotation, settings.signing_algorithms, world.clock),
        lifetime=lifetime,
        sign_out=sign_out,
        consequences=Consequences(sign_out),
        outgoing=Outgoing(development=settings.development),
        grants=Grants(lifetime, settings.refresh_token_lifetime, tokens_live(settings)),
        status_indexes=StatusIndexes(tokens_live(settings)) if settings.status_list else None,
        hasher=PasswordHasher(world.hashing),
        password_rules=PasswordRules(settings.password_minimum_length),
    )


def timing(settings: Settings) -> Timing:
    return Timing(
        jwks_max_age=settings.jwks_max_age,
        clock_skew=settings.clock_skew,
        longest_token_lifetime=settings.access_token_lifetime,
        rotation_period=settings.rotation_period,
    )


def tokens_live(settings: Settings) -> timedelta:
    """How long a token that exists now may still be accepted somewhere."""
    return settings.access_token_lifetime + settings.clock_skew
