"""The monitoring dashboard service: PromQL, pushed."""

__version__ = "0.1.0"
