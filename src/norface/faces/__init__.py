"""Finding faces, aligning them, and the pose of the head."""
