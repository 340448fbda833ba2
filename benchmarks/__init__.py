"""What the service costs: ratios to a named baseline, measured in one run (docs/benchmarks.md)."""
