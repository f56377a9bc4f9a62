"""One file for each data set: the delivered tree to samples."""
