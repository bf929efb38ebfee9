"""Where settings come from: command line > environment > `*_FILE` > `authserver.toml` > default."""

import difflib
import os
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any, Final

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from authserver.settings.model import PREFIX, Settings

OUTSIDE: Final = {"CONFIG", "DEMO_PASSWORD"}  # read by the command line alone


class SettingsError(Exception):
    """The settings cannot be used; each problem names the setting and what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


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

    try:
        return Located(**chosen)
    except ValidationError as error:
        raise SettingsError([_problem(detail) for detail in error.errors(include_url=False)]) from None
    except SettingsError:
        raise
    except TOMLDecodeError as error:
        raise SettingsError([f"{file}: {error}"]) from None
    except ValueError as error:  # a list in the environment that is not JSON
        raise SettingsError(
            [f"{error}; write lists as JSON, such as '[\"https://app.example.com\"]'"]
        ) from None


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
