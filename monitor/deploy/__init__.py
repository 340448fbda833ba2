"""The service as systemd runs it: its units, and what `monitor service` does with them."""
