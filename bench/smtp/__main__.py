"""`python -m bench.smtp`: the table alone."""

from bench.smtp import run

run()
