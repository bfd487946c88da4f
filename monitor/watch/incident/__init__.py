"""More than one report is a real problem: incidents."""
