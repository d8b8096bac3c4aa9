"""callgrade: evaluation of customer-service calls that can be believed."""

__version__ = "0.1.0"
