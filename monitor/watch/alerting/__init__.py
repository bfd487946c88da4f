"""One page, at the right minute: alerts and their way out."""
