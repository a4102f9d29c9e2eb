"""What outlasts a run: messages on their way, what became of them, positions in sources, and the hour's count."""
