"""What a manager asks on Monday.

`measures` says what each number counts, once: the number, its breakdowns and its rows are all made
of the same conditions. `volumes`, `response` and `topics` put numbers together for a period.
"""
