"""A configuration that is kept in a database: how it is changed, by whom, and what it was before."""
