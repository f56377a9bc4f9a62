"""Several models on several test sets: every pair, over the labels that both sides have."""
