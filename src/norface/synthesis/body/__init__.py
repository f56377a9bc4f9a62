"""The body of a synthetic person: head, skin, eyes, mouth, hair."""
