"""The picture of what flows: a pure model, what a project says as that model, and one drawer for each format."""
