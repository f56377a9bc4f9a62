"""synfacs: a public benchmark of painted faces that anyone can render again."""
