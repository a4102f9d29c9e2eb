"""Tests as data: files beside a project that say what becomes of entities, and what runs them without a network."""
