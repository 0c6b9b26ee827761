"""Every size in BERT, named once.

The letters that shape comments use, here and in the notebooks:

    B  batch                     L  layers (blocks)
    S  sequence length           V  vocabulary
    H  hidden width              P  masked positions in a sequence
    A  attention heads           D  width of one head, H / A

So `# (B, A, S, S)` at the end of a line reads: for every sequence of the batch and every head,
a square of one number per pair of positions.
"""

from dataclasses import dataclass, fields

ACTIVATIONS = ("gelu", "gelu_tanh")


@dataclass(frozen=True)
class BertConfig:
    """The nine choices that make one BERT different from another.

    Paper: BERT (Devlin et al., 2019), §3 and appendix A.2; Turc et al. (2019) for the small ones.
    """

    vocab_size: int = 30522  # V
    num_layers: int = 12  # L
    hidden_dim: int = 768  # H
    num_heads: int = 12  # A
    intermediate_dim: int = 3072  # width inside the feed-forward part, 4 H in the paper
    max_length: int = 512  # the longest S that has position embeddings
    num_segments: int = 2  # sentence A, sentence B
    dropout: float = 0.1
    activation: str = "gelu"  # erf, as Hugging Face runs it; "gelu_tanh" as Google's code does now

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is int and (type(value) is not int or value < 1):
                raise ValueError(
                    f"{field.name} must be a whole number of at least 1. Received: {value!r}"
                )
        if self.hidden_dim % self.num_heads:
            raise ValueError(
                "hidden_dim must be a multiple of num_heads, for every head is equally wide. "
                f"Received: hidden_dim={self.hidden_dim}, num_heads={self.num_heads}"
            )
        if type(self.dropout) not in (int, float) or not 0 <= self.dropout < 1:
            raise ValueError(
                f"dropout is the share of values set to zero, from 0 to below 1. "
                f"Received: {self.dropout!r}"
            )
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"activation must be one of {', '.join(ACTIVATIONS)}. Received: {self.activation!r}"
            )

    @property
    def head_dim(self):
        """D, the width of one attention head."""
        return self.hidden_dim // self.num_heads


TINY = BertConfig(num_layers=2, hidden_dim=128, num_heads=2, intermediate_dim=512)
MINI = BertConfig(num_layers=4, hidden_dim=256, num_heads=4, intermediate_dim=1024)
SMALL = BertConfig(num_layers=4, hidden_dim=512, num_heads=8, intermediate_dim=2048)
BASE = BertConfig()
LARGE = BertConfig(num_layers=24, hidden_dim=1024, num_heads=16, intermediate_dim=4096)
