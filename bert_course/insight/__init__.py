"""How we look inside BERT, and how we show what is there."""
