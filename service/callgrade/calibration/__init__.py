"""How far a judge may be trusted: golden sets, and holding judges against them."""
