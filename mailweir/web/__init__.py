"""What a service answers over HTTP."""
