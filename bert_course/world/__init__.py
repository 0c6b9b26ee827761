"""A small world with a known ceiling: the generator behind data/."""
