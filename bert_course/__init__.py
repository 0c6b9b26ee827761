"""BERT, built step by step in Keras: the package that holds what the notebooks build."""

__version__ = "0.1.0"
