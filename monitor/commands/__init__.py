"""The subcommands of `monitor`, by what they are for; each is thin, every rule is elsewhere."""
