"""What the notebooks show: source code, numbers as colours, attention maps, figures in words."""

import inspect

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

COLOURS = "cividis"  # reads the same with and without colour-blindness, in print too


def show_source(*objects):
    """The package's own code, as it is installed: shown, not copied, so that it cannot go stale."""
    source = "\n\n".join(inspect.getsource(each).rstrip() for each in objects)
    display({"text/markdown": f"```python\n{source}\n```", "text/plain": source}, raw=True)


def describe(text):
    """A figure in words: what it shows, for those who do not see it."""
    print(f"Figure: {text}")


def heat_map(numbers, rows=None, columns=None, title="", limits=None, ax=None):
    """A table of numbers as colours, the numbers themselves in the cells while they fit.

    Args:
        numbers: (rows, columns).
        limits: (lowest, highest) value of the colour scale, to compare maps with each other.
    """
    numbers = np.asarray(numbers)
    height, width = numbers.shape
    if ax is None:
        _, ax = plt.subplots(figsize=(1.5 + 0.55 * width, 1 + 0.45 * height))
    low, high = limits or (numbers.min(), numbers.max())
    ax.imshow(numbers, cmap=COLOURS, vmin=low, vmax=high, aspect="auto")
    ax.set_title(title)
    for axis, labels, count in ((ax.yaxis, rows, height), (ax.xaxis, columns, width)):
        axis.set_ticks(range(count) if labels is not None else [])
        axis.set_ticklabels([] if labels is None else labels)
    if width > 5:
        ax.tick_params(axis="x", rotation=60)
    if numbers.size <= 200:
        _write_numbers(ax, numbers, middle=(low + high) / 2)
    return ax


def _write_numbers(ax, numbers, middle):
    for (row, column), number in np.ndenumerate(numbers):
        colour = "black" if number > middle else "white"
        text = f"{number:.2f}" if numbers.dtype.kind == "f" else str(number)
        ax.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)


def attention_map(weights, tokens, title="", ax=None):
    """One head: each row is a token that looks, each column one that is looked at.

    Args:
        weights: (S, S), every row summing to 1.
    """
    ax = heat_map(weights, tokens, tokens, title, limits=(0, 1), ax=ax)
    ax.set_ylabel("looks")
    ax.set_xlabel("is looked at")
    return ax


def attention_heads(weights, tokens, title=""):
    """Several heads beside each other, on one colour scale.

    Args:
        weights: (A, S, S).
    """
    num_heads, length = len(weights), len(tokens)
    size = 1.2 + 0.34 * length
    _, axes = plt.subplots(1, num_heads, figsize=(size * num_heads, size), squeeze=False)
    for head, ax in enumerate(axes[0]):
        attention_map(weights[head], tokens, f"{title} head {head}".strip(), ax)
        if head:
            ax.set_yticks([])
            ax.set_ylabel("")
    plt.tight_layout()
    return axes[0]
