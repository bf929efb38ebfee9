"""Every setting, read once and frozen: command line > environment > `*_FILE` > `authserver.toml` > default.

A setting that does not exist, or two that cannot be true together, are refused here with the reason, so a typing
error is a message at the start and not a surprise in the night. Nothing reads the environment after this.
"""

import base64
import binascii
import difflib
import os
import re
from datetime import timedelta
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from authserver.protocol import cookies

PREFIX: Final = "AUTHSERVER_"
OUTSIDE: Final = {"CONFIG", "DEMO_PASSWORD"}  # read by the command line alone
UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
KEY_BYTES: Final = 32


class SettingsError(Exception):
    """The settings cannot be used; each problem names the setting and what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _duration(value: Any) -> Any:
    """Read `90`, `"90s"`, `"15m"`, `"1h"` or `"30d"`."""
    text = str(value).strip()
    if isinstance(value, (int, str)) and (found := re.fullmatch(r"(\d{1,9})([smhd]?)", text)):
        return timedelta(seconds=int(found[1]) * UNITS[found[2] or "s"])
    if isinstance(value, timedelta):
        return value
    raise ValueError('write a length of time as seconds or as "15m", "1h", "30d"')


def _issuer(value: str) -> str:
    """RFC 8414 §2: a URL without query or fragment. Without a path too: the cookies live at `/`."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write the server's URL, such as https://login.example.com")
    if value != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("write scheme and host only, without a slash at the end, path, query or fragment")
    if "@" in parts.netloc or value != value.lower():
        raise ValueError("write it in lower case and without a user name")
    return value


def _origin(value: str) -> str:
    return _issuer(value)


def _color(value: str) -> str:
    if not re.fullmatch(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})", value):
        raise ValueError('write a colour as "#0a7cff"')
    return value


def _key(value: SecretStr) -> SecretStr:
    key_bytes(value)
    return value


def key_bytes(value: SecretStr) -> bytes:
    """Read a key-encryption key: exactly 32 random bytes in base64 or base64url.

    :raises ValueError: it is anything else.
    """
    text = value.get_secret_value().strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES or len(set(raw)) < KEY_BYTES // 4:
        raise ValueError("needs 32 random bytes in base64; make one with: openssl rand -base64 32")
    return raw


Duration = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]
Origin = Annotated[str, AfterValidator(_origin)]
KeyEncryptionKey = Annotated[SecretStr, AfterValidator(_key)]
Algorithm = Literal["RS256", "PS256", "ES256", "Ed25519"]


class Settings(BaseSettings):
    """What an operator may choose. Lengths of time: seconds, or `"15m"`, `"1h"`, `"30d"`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, validate_default=True
    )

    # where things are
    issuer: Annotated[str, AfterValidator(_issuer)] = Field(
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
    session_idle_timeout: Duration = Field(
        timedelta(days=7), description="A session unused for so long has ended."
    )
    session_lifetime: Duration = Field(
        timedelta(days=30), description="A session ends after this, used or not."
    )
    cookie_samesite: Literal["lax", "strict", "none"] = Field(
        "lax", description="SameSite of the token cookie."
    )
    cookie_domain: str = Field(
        "", description="Parent domain for apps on sibling subdomains. Empty: this host only."
    )
    allowed_origins: tuple[Origin, ...] = Field(
        (), description="Apps' pages that may call the JSON endpoints."
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
    accent_color: Annotated[str, AfterValidator(_color)] = Field(
        "#2457d6", description="The colour of buttons."
    )

    # running
    log_format: Literal["json", "console"] = Field(
        "json", description="One JSON object a line, or for people."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least that is logged."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        toml = TomlConfigSettingsSource(settings_cls, cls.model_config.get("toml_file"))
        return init_settings, env_settings, FileVariants(settings_cls), toml

    @model_validator(mode="after")
    def _possible_together(self) -> Self:
        problems = [text for impossible, text in self._impossible() if impossible]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _impossible(self) -> list[tuple[bool, str]]:
        """Each row: what cannot work, and why."""
        host = urlsplit(self.issuer).hostname or ""
        domain = self.cookie_domain
        return [
            (
                self.issuer.startswith("http:") and not (self.development and is_loopback(host)),
                "issuer: must be https, except on loopback in development: its cookies are Secure",
            ),
            (self.development and not is_loopback(host), "development: only for an issuer on loopback"),
            (
                bool(domain) and not (host == domain or host.endswith(f".{domain}")),
                f"cookie_domain: {host} is not in {domain!r}, so a browser would drop the cookie",
            ),
            (
                bool(domain) and "." not in domain,
                "cookie_domain: a browser refuses a cookie for a top-level domain",
            ),
            (
                self.clock_skew < timedelta(seconds=10),
                "clock_skew: at least 10 s, the time in which servers notice a changed key",
            ),
            (
                not timedelta(minutes=1) <= self.access_token_lifetime <= timedelta(days=1),
                "access_token_lifetime: between 1m and 1d",
            ),
            (
                not timedelta(seconds=1) <= self.jwks_max_age <= timedelta(days=1),
                "jwks_max_age: between 1s and 1d",
            ),
            (
                self.rotation_period < 2 * (self.jwks_max_age + self.clock_skew),
                "rotation_period: shorter than twice jwks_max_age + clock_skew; no key could become active in time",
            ),
            (
                self.session_idle_timeout > self.session_lifetime,
                "session_idle_timeout: longer than session_lifetime, so it would never apply",
            ),
            (
                self.session_idle_timeout < self.access_token_lifetime,
                "session_idle_timeout: shorter than access_token_lifetime; the session would end before its token",
            ),
            (bool(self.logo_url) and not self.logo_url.startswith("https://"), "logo_url: must be https"),
            (
                bool(self.key_encryption_key) and self.allow_plaintext_keys,
                "allow_plaintext_keys: a key_encryption_key is set; keep one of the two",
            ),
            (
                not self.database_address.startswith(
                    ("sqlite:///", "postgresql://", "postgresql+psycopg://")
                ),
                "database_url: begins with sqlite:/// or postgresql://",
            ),
        ]

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


class FileVariants(PydanticBaseSettingsSource):
    """`AUTHSERVER_X_FILE` names a file whose content is the setting X: how container secrets arrive."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        if path is None:
            return None, field_name, False
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                [f"{PREFIX}{field_name.upper()}_FILE: {path} cannot be read ({error})"]
            ) from None
        return text, field_name, self.field_is_complex(field)

    def __call__(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            value, _, complex_value = self.get_field_value(field, name)
            if value is not None:
                values[name] = self.prepare_field_value(name, field, value, complex_value)
        return values


def load(config: Path | None = None, **chosen: Any) -> Settings:
    """Read the settings once.

    :param config: a TOML file; default `AUTHSERVER_CONFIG`, else `authserver.toml` in the data folder.
    :param chosen: what the command line says; it wins.
    :raises SettingsError: with one line for each problem.
    """
    _refuse_unknown_names()
    named = config or (Path(os.environ[f"{PREFIX}CONFIG"]) if f"{PREFIX}CONFIG" in os.environ else None)
    if named and not named.is_file():
        raise SettingsError([f"{named}: there is no such configuration file"])
    data = Path(chosen.get("data") or os.environ.get(f"{PREFIX}DATA") or ".")
    file = named or data / "authserver.toml"

    class Located(Settings):
        model_config = SettingsConfigDict(toml_file=file)

    try:
        return Located(**chosen)
    except ValidationError as error:
        raise SettingsError([_problem(detail) for detail in error.errors(include_url=False)]) from None
    except SettingsError:
        raise
    except ValueError as error:  # a TOML or JSON syntax error
        raise SettingsError([str(error)]) from None


def _refuse_unknown_names() -> None:
    known = {name.upper() for name in Settings.model_fields}
    known |= {f"{name}_FILE" for name in known} | OUTSIDE
    given = [name.removeprefix(PREFIX) for name in os.environ if name.startswith(PREFIX)]
    problems = [_unknown(name, known) for name in given if name not in known]
    if problems:
        raise SettingsError(problems)


def _unknown(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {PREFIX}{near[0]}?" if near else "; `authserver config show` lists them all"
    return f"{PREFIX}{name}: there is no such setting{hint}"


def _problem(detail: Any) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    message = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        return f"{name}: there is no such setting"
    return f"{name}: {message}" if name else message


def is_loopback(host: str) -> bool:
    """Say whether a host name can only be this machine (RFC 6761 §6.3 for `localhost`)."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def missing_for_service(settings: Settings) -> list[str]:
    """Say what `authserver serve` insists on beyond settings that are possible."""
    rows = [
        (
            not settings.key_encryption_key and not settings.allow_plaintext_keys,
            "key_encryption_key: private keys would lie in the clear; make one with `openssl rand -base64 32`, "
             "or set allow_plaintext_keys=true on purpose",
        ),
        (settings.development, "development: is for `authserver dev`; unset it"),
    ]
    return [text for missing, text in rows if missing]
