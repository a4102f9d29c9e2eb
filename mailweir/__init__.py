"""The front door: command line, web and test tools. Knows everything below it; nothing below knows it."""

__version__ = "0.1.0"
