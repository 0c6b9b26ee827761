"""What BERT reads."""
