"""The engine. These are the names that the author of a component imports; each is loaded when it is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.component import (
        Advice,
        ComponentConfig,
        Context,
        Entities,
        Many,
        Part,
        Reference,
        Refers,
        SecretArguments,
        Sink,
        SinkConfig,
        Slot,
        Source,
        SourceConfig,
        System,
        SystemConfig,
        Transform,
        TransformConfig,
        Writes,
    )
    from pipeline.entity import Entity
    from pipeline.errors import ConfigError, Problem
    from pipeline.receipt import Outcome, Receipt
    from pipeline.secret import Secret

__all__ = [
    "Advice",
    "ComponentConfig",
    "ConfigError",
    "Context",
    "Entities",
    "Entity",
    "Many",
    "Outcome",
    "Part",
    "Problem",
    "Receipt",
    "Reference",
    "Refers",
    "Secret",
    "SecretArguments",
    "Sink",
    "SinkConfig",
    "Slot",
    "Source",
    "SourceConfig",
    "System",
    "SystemConfig",
    "Transform",
    "TransformConfig",
    "Writes",
]

# pydantic takes longer to load than a help page may take, and the page needs none of these names.
_elsewhere = {
    "ConfigError": "errors",
    "Entity": "entity",
    "Outcome": "receipt",
    "Problem": "errors",
    "Receipt": "receipt",
    "Secret": "secret",
}


def __getattr__(name: str) -> object:
    """Load a name from its module."""
    if name not in __all__:
        raise AttributeError(f"module 'pipeline' has no attribute '{name}'")
    return getattr(import_module(f"pipeline.{_elsewhere.get(name, 'component')}"), name)
