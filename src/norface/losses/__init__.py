"""The losses, unweighted, one module each; their weights stand in the options of each training."""
