"""What is promised, until when, and who is told."""
