"""Entities as somebody types them, through a pipe up to the mail: offline and in a process apart."""
