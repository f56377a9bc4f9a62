"""Light, background, camera: from a person to a picture."""
