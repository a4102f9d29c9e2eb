"""The component types that are installed.

Built-ins and plugins enter by the same door: entry points of packages. Nothing is imported until a configuration
names it; a plugin only when the project allows its package.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import entry_points

from pipeline.component import Kind
from pipeline.config.registry import OWN, Entry, Registry, groups, written
from pipeline.pipe import MetadataConfig, PipeConfig


def installed(allowed: Collection[str] = ()) -> Registry:
    """The types of this package and of the allowed plugin packages that are installed."""
    types: dict[Kind, dict[str, Entry]] = {kind: {} for kind in groups.values()}
    types["pipe"] = {"pipe": Entry("pipe", OWN, lambda: PipeConfig)}
    types["metadata"] = {"metadata": Entry("metadata", OWN, lambda: MetadataConfig)}
    closed: dict[tuple[Kind, str], str] = {}
    for group, kind in groups.items():
        for point in entry_points(group=group):
            package = point.dist.name if point.dist else ""
            if package == OWN or package in allowed:
                types[kind].setdefault(point.name, Entry(point.name, package, point.load))
            else:
                closed[kind, written(kind, point.name)] = package
    return Registry(types, closed)
