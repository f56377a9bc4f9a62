"""The work of ``norface analyze``: units that workers do, records of them, tables."""
