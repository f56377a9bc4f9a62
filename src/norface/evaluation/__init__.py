"""Metrics and the figures of the model card."""
