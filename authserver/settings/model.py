"""Every setting: its name, kind, default and meaning. Frozen once read; nothing reads the environment after that."""

from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from authserver.protocol import cookies
from authserver.settings.kinds import Algorithm, Color, Duration, KeyEncryptionKey, Origin
from authserver.settings.rules import impossible

PREFIX: Final = "AUTHSERVER_"


class Impossible(ValueError):
    """Settings that are each possible, and not together."""

    def __init__(self, problems: list[str], settings: "Settings") -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        self.settings = settings


class Settings(BaseSettings):
    """What an operator may choose. Lengths of time: seconds, or `"15m"`, `"1h"`, `"30d"`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, validate_default=True
    )

    # where things are
    issuer: Origin = Field(
        "http://127.0.0.1:8000",
        description="The URL that people and services reach this server by; `iss` in tokens.",
    )
    data: Path = Field(Path(), description="Folder of the embedded database and of `keys/`.")
    database_url: str = Field(
        "", description="Empty: SQLite in the data folder. Or `postgresql://user@host/name`."
    )
    database_connections: int = Field(4, ge=1, le=64, description="PostgreSQL connections of each worker.")
    development: bool = Field(False, description="Allow http on loopback. `authserver dev` sets it.")

    # keys
    signing_algorithms: tuple[Algorithm, ...] = Field(
        ("RS256",), min_length=1, description="The first is the default."
    )
    rsa_key_size: Literal[2048, 3072, 4096] = Field(2048, description="Bits of a new RSA key.")
    key_store: Literal["files", "database"] = Field("files", description="Where private keys are kept.")
    keys_directory: Path | None = Field(
        None, description="Folder of the `files` store. Default: `keys/` under data."
    )
    key_encryption_key: KeyEncryptionKey | None = Field(
        None, description="32 random bytes in base64 that encrypt private keys at rest."
    )
    previous_key_encryption_keys: tuple[KeyEncryptionKey, ...] = Field(
        (), description="Older ones, still able to open keys until `authserver keys rewrap`."
    )
    allow_plaintext_keys: bool = Field(False, description="Keep private keys unencrypted, on purpose.")
    rotation_period: Duration = Field(
        timedelta(days=30), description="How often the signing key changes by itself."
    )
    jwks_max_age: Duration = Field(
        timedelta(minutes=5), description="How long a verifier may cache the public keys."
    )
    clock_skew: Duration = Field(
        timedelta(seconds=60), description="How far clocks, and what servers know, may differ."
    )

    # tokens, cookies, sessions
    audience: str = Field("", description="`aud` of the token cookie. Empty: the issuer.")
    access_token_lifetime: Duration = Field(timedelta(hours=1), description="`exp` of an access token.")
    refresh_token_lifetime: Duration = Field(
        timedelta(days=30),
        description="An app that refreshes its tokens has to ask its person again after this.",
    )
    session_idle_timeout: Duration = Field(
        timedelta(days=7), description="A session unused for so long has ended."
    )
    session_lifetime: Duration = Field(
        timedelta(days=30), description="A session ends after this, used or not."
    )
    status_list: bool = Field(
        False, description="Tokens carry a `status`, and signed Token Status Lists are published."
    )
    status_list_ttl: Duration = Field(
        timedelta(seconds=60),
        description="How long a verifier may go by a status list before it fetches anew.",
    )
    cookie_samesite: Literal["lax", "strict", "none"] = Field(
        "lax", description="SameSite of the token cookie."
    )
    cookie_domain: str = Field(
        "", description="Parent domain for apps on sibling subdomains. Empty: this host only."
    )
    allowed_origins: tuple[Origin, ...] = Field(
        (),
        description="Origins of your apps: sign-in may lead back to them, and their pages may call the JSON endpoints.",
    )

    # accounts
    password_minimum_length: int = Field(
        15, ge=8, le=64, description="NIST 800-63B-4: 15 where it is the only factor."
    )
    hash_threads: int = Field(
        0, ge=0, le=64, description="Passwords hashed at once. 0: as many as there are cores."
    )
    hash_queue: int = Field(
        64, ge=1, le=10_000, description="Sign-ins that may wait for it; more are answered 503."
    )

    # pages
    product_name: str = Field("Authserver", min_length=1, max_length=60, description="The name on the pages.")
    logo_url: str = Field("", description="https URL of a logo on the pages.")
    accent_color: Color = Field("#2457d6", description="The colour of buttons.")

    # running
    log_format: Literal["json", "console"] = Field(
        "json", description="One JSON object a line, or for people."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least that is logged."
    )

    @model_validator(mode="after")
    def _possible_together(self) -> Self:
        if problems := impossible(self):
            raise Impossible(problems, self)
        return self

    @cached_property
    def database_address(self) -> str:
        return self.database_url or f"sqlite:///{self.data / 'authserver.db'}"

    @cached_property
    def keys_path(self) -> Path:
        return self.keys_directory or self.data / "keys"

    @cached_property
    def token_audience(self) -> str:
        return self.audience or self.issuer

    @cached_property
    def token_cookie(self) -> str:
        return cookies.TOKEN_WITH_DOMAIN if self.cookie_domain else cookies.TOKEN_HOST_ONLY
