"""The same small service under every adapter: /any, /scope and /role, for GET and POST, answering who asked."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any

from authserver.resource import guard as core
from tests.resource import forge
from tests.resource.adapters.django_project import django_views
from tests.resource.adapters.table import HOST, ORIGIN, Headers
from tests.resource.conftest import FakeClock, Network

METHODS = ["GET", "POST"]
