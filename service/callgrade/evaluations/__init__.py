"""Evaluating a call: judges, grounding and the scorecard."""
