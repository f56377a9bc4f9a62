"""The losses, unweighted, one module each; their weights stand in `norface.training.config`."""
