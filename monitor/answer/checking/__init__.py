"""Does this answer put the customer first? What is checked while it is written."""
