"""The networks: normalization (F_nor) and classification (F_cla), in PyTorch."""
