"""What we say: replies, the check of drafts, canned words, promises."""
