"""Calls as they come in: transcripts from files, plain text and recordings."""
