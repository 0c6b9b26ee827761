"""Draw notebooks/images/encoder.png, the picture in the README: `python -m tools.draw_encoder`.

The numbers in it are counted in a BERT-base that is built for the purpose.
"""

import pathlib

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

from bert_course.model.config import BASE
from bert_course.model.encoder import build_encoder

PICTURE = pathlib.Path(__file__).parent.parent / "notebooks" / "images" / "encoder.png"
INPUT, WEIGHTS, NORM = "#e8e4d8", "#31446b", "#8c8a7a"


def box(ax, left, bottom, width, height, text, colour):
    """A rounded box with its text in the middle."""
    shape = {"boxstyle": "round,pad=0,rounding_size=0.12", "lw": 0, "fc": colour}
    ax.add_patch(FancyBboxPatch((left, bottom), width, height, **shape))
    ink = "black" if colour == INPUT else "white"
    middle = (left + width / 2, bottom + height / 2)
    ax.text(*middle, text, ha="center", va="center", color=ink, fontsize=9, linespacing=1.5)


def arrow(ax, start, end, **style):
    ax.annotate(
        "", end, start, arrowprops={"arrowstyle": "-|>", "color": "#444444", "lw": 1.2, **style}
    )


def draw(ax, encoder):
    """Inputs on the left, outputs on the right, and every parameter somewhere between."""
    block = encoder.get_layer("block_0")
    attention = block.attention.count_params()
    feed_forward = block.expand.count_params() + block.shrink.count_params()
    norm = block.attention_norm.count_params()
    for i, name in enumerate(("token_ids", "segment_ids", "padding_mask")):
        box(ax, 0, 3.1 - 1.15 * i, 1.7, 0.8, name, INPUT)
    embeddings = encoder.get_layer("embeddings").count_params()
    box(
        ax,
        2.4,
        1.6,
        2.0,
        2.6,
        f"token\n+ position\n+ segment\nLayerNorm\n\n{embeddings:,}",
        WEIGHTS,
    )
    for y in (3.5, 2.35):
        arrow(ax, (1.7, y), (2.4, y))
    ax.add_patch(FancyBboxPatch((5.1, 0.85), 5.9, 3.8, "round,pad=0", fc="white", ec="#444444"))
    ax.text(
        5.3, 4.25, f"{BASE.num_layers} blocks of {block.count_params():,}", fontsize=10, va="center"
    )
    arrow(ax, (4.4, 2.9), (5.4, 2.9))
    box(
        ax,
        5.4,
        1.9,
        1.9,
        2.0,
        f"softmax(QKᵀ/√D)V\n{BASE.num_heads} heads\n\n{attention:,}",
        WEIGHTS,
    )
    box(ax, 7.5, 2.3, 0.6, 1.2, f"+ x\nnorm\n{norm:,}", NORM)
    box(ax, 8.3, 1.9, 1.7, 2.0, f"W₂ gelu(W₁x)\n\n{feed_forward:,}", WEIGHTS)
    box(ax, 10.2, 2.3, 0.6, 1.2, f"+ x\nnorm\n{norm:,}", NORM)
    ax.plot([1.7, 6.35], [1.2, 1.2], color="#444444", lw=1.2)  # the padding mask, to every block
    arrow(ax, (6.35, 1.2), (6.35, 1.9))
    arrow(ax, (10.8, 2.9), (11.7, 2.9))
    box(ax, 11.7, 2.5, 2.2, 0.8, "sequence_output", INPUT)
    pooler = encoder.get_layer("pooler").count_params()
    box(ax, 11.7, 1.2, 2.2, 0.9, f"[CLS] → tanh(Wx)\n{pooler:,}", WEIGHTS)
    arrow(ax, (12.8, 2.5), (12.8, 2.1))
    box(ax, 11.7, 0.15, 2.2, 0.7, "pooled_output", INPUT)
    arrow(ax, (12.8, 1.2), (12.8, 0.85))
    ax.text(7.0, 5.0, f"BERT-base: {encoder.count_params():,} parameters", fontsize=13, ha="center")


def main():
    _, ax = plt.subplots(figsize=(12.5, 4.7))
    ax.set(xlim=(-0.1, 14.1), ylim=(0, 5.4))
    ax.axis("off")
    draw(ax, build_encoder(BASE))
    PICTURE.parent.mkdir(exist_ok=True)
    plt.savefig(PICTURE, dpi=110, bbox_inches="tight", facecolor="white")
    print(f"drawn: {PICTURE.name}")


if __name__ == "__main__":
    main()
