"""The state of one machine, in one SQLite file."""
