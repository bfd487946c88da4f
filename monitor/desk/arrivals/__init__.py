"""What posts do to cases: they open one, join one, answer one."""
