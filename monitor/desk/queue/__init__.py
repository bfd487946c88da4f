"""The queue and who takes what from it."""
