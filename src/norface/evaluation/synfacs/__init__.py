"""The protocol of the benchmark synfacs: tables in, scores out. Needs no training library."""
