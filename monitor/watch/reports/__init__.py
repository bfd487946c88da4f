"""What leaves the dashboard: exports, the week on paper, the digest."""
