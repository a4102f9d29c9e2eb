"""Settings for every test."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says something of the machine, nothing of the code.
# The same examples in every run: what passed once passes again. New ones are looked for by `make hunt`.
settings.register_profile("default", deadline=None, derandomize=True)
settings.register_profile("hunt", deadline=None, max_examples=5000)
settings.load_profile("default")
