"""How BERT learns, and on what."""
