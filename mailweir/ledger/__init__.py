"""The state of a project, as people look at it and act on it: outbox, what was discarded, windows."""
