"""The JSON API, a thin door to the services: parse, ask one of them, answer. Shape: contracts.md, "HTTP"."""
