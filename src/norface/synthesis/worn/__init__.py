"""What a synthetic person wears or holds before the face."""
