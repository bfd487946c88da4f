"""The shipped transformer: how it is run, trained and measured."""
