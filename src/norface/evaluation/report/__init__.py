"""Scores as results.json for programs, report.md and report.html for people."""

from norface.evaluation.report.about import About, file_digest, label_digest
from norface.evaluation.report.write import write_report

__all__ = ("About", "file_digest", "label_digest", "write_report")
