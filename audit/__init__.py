"""What Atlas is made of besides its own code, whether that is sound, and whether a secret lies among the code."""
