"""The types and the arithmetic: pure, frozen, without input or output."""
