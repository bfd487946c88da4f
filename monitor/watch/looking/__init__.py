"""Looks for what is wrong, so that an alert can tell of it."""
