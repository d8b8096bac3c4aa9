"""The outside world behind the ports: recognisers, models, judges, redaction."""
