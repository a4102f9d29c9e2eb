"""`python -m mailweir`: the same as the command `mailweir`, and as deaf to what lies in the current folder."""

import sys
from pathlib import Path

# `-m` puts the current folder first; a `pipeline/` or `systems/` of the user's there would be imported for ours.
if not sys.flags.safe_path and sys.path[0] != str(Path(__file__).parents[1]):
    del sys.path[0]

from mailweir.cli.main import main

sys.exit(main())
