"""Where settings come from: command line > environment > `*_FILE` > `authserver.toml` > default."""

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from authserver.settings.model import PREFIX, Impossible, Settings

OUTSIDE: Final = {"CONFIG", "DEMO_PASSWORD"}  # read by the command line alone


class SettingsError(Exception):
    """The settings cannot be used; each problem names the setting and what to do."""

    def __init__(self, problems: list[str], unusable: Settings | None = None) -> None:
        """:param unusable: the settings, where each is possible but not all together: to look for more problems."""
        super().__init__("\n".join(problems))
        self.problems = problems
        self.unusable = unusable


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
    file = configuration(config, chosen.get("data"))
    unknown = _unknown_names()

    class Located(Settings):
        model_config = SettingsConfigDict(toml_file=file)

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

    stated(file)
    try:
        settings = Located(**chosen)
    except ValidationError as error:
        raise _refused(unknown, error) from None
    except SettingsError as error:
        raise SettingsError([*unknown, *error.problems]) from None
    except ValueError as error:  # a list in the environment that is not JSON
        advice = "write lists as JSON, such as '[\"https://app.example.com\"]'"
        raise SettingsError([*unknown, f"{error}; {advice}"]) from None
    if unknown:
        raise SettingsError(unknown, settings)
    return settings


def variables() -> dict[str, str]:
    """Answer our part of the environment, its names in capitals."""
    given = {name.upper(): value for name, value in os.environ.items()}
    return {name: value for name, value in given.items() if name.startswith(PREFIX)}


def configuration(config: Path | None, data: Path | None) -> Path:
    """Answer which TOML file is read; without a name it need not be there.

    :raises SettingsError: a named one is not there.
    """
    named = config or (Path(os.environ[f"{PREFIX}CONFIG"]) if f"{PREFIX}CONFIG" in os.environ else None)
    if named and not named.is_file():
        raise SettingsError([f"{named}: there is no such configuration file"])
    return named or Path(data or os.environ.get(f"{PREFIX}DATA") or ".") / "authserver.toml"


def stated(file: Path) -> dict[str, Any]:
    """Read what the TOML file says, which is nothing if there is none.

    :raises SettingsError: it is not TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"{file}: {error}"]) from None


def _refused(unknown: list[str], error: ValidationError) -> SettingsError:
    """All problems, one by one. Only when each setting is possible in itself does it show what is not together."""
    details = error.errors(include_url=False)
    together = [found for one in details if isinstance(found := one.get("ctx", {}).get("error"), Impossible)]
    if together:
        return SettingsError([*unknown, *together[0].problems], together[0].settings)
    return SettingsError([*unknown, *map(_problem, details)])


def _unknown_names() -> list[str]:
    known = {name.upper() for name in Settings.model_fields}
    known |= {f"{name}_FILE" for name in known} | OUTSIDE
    given = [name.removeprefix(PREFIX) for name in os.environ if name.startswith(PREFIX)]
    return [_unknown(name, known) for name in given if name not in known]


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
