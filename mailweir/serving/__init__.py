"""Pipes that run by the clock until somebody stops them."""
