"""Is this surge, or this silence, real?"""
