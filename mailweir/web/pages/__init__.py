"""Pages for people: each one is a view model that is pure, a template, and a route that says who may see it."""
