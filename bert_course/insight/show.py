"""What the notebooks show: source code, numbers as colours, attention maps, figures in words."""

import inspect
import io

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

from bert_course.files import write_whole

COLOURS = "cividis"  # reads the same with and without colour-blindness, in print too
PART_COLOURS = ("#31446b", "#b8a24a", "#8a8678", "#d8d2b4")  # of that kind, for lines and bars


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


def sizes_chart(columns, lines=(), label="", least=1e-8):
    """Sizes from tiny to large on a log axis: a row for each thing, a mark for each column.

    Args:
        columns: {column: {row: size}}, every column with the same rows.
        lines: sizes to draw a dotted line at.
        least: the left edge, where all stands that is smaller, 0 above all.
    """
    rows = list(next(iter(columns.values())))
    _, ax = plt.subplots(figsize=(8, 1 + 0.35 * len(rows)))
    middle = (len(columns) - 1) / 2
    for number, (column, sizes) in enumerate(columns.items()):
        heights = np.arange(len(rows)) + 0.16 * (number - middle)  # so that no mark hides another
        colour = plt.get_cmap(COLOURS)(0.9 - 0.7 * number / max(1, len(columns) - 1))
        shown = [max(sizes[row], least) for row in rows]
        ax.scatter(shown, heights, s=40, marker="osD^v"[number], color=colour, label=column)
    for line in lines:
        ax.axvline(line, color="black", linestyle=":", zorder=0)
    highest = np.log10(max(max(sizes.values()) for sizes in columns.values()))
    powers = np.arange(round(np.log10(least)), np.ceil(highest) + 1)
    ax.set(xscale="log", xlabel=label)
    ax.set_xticks(10.0**powers, ["0", *(f"1e{power:.0f}" for power in powers[1:])], minor=False)
    ax.set_yticks(range(len(rows)), rows)
    ax.minorticks_off()
    ax.grid(axis="y", alpha=0.3)
    ax.legend(loc="lower right")
    plt.tight_layout()
    return ax


def curves(lines, x=None, title="", xlabel="", ylabel="", log=False, ax=None):
    """Lines on one pair of axes, each with its own colour and stroke.

    Args:
        lines: {name: numbers}, all of one length.
        x: where the numbers stand; 0, 1, 2, … if not given.
        log: whether the numbers differ so much that the axis must count powers of ten.
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(6.5, 3.2))
    for number, (name, numbers) in enumerate(lines.items()):
        place = range(len(numbers)) if x is None else x
        colour = PART_COLOURS[number % len(PART_COLOURS)]
        stroke = ("-", "--", "-.", ":")[number // len(PART_COLOURS) % 4]
        marker = "o" if len(numbers) <= 30 else None
        ax.plot(place, numbers, stroke, marker=marker, markersize=4, color=colour, label=name)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    if log:
        ax.set_yscale("log")
    if len(lines) > 1:
        ax.legend(fontsize=8)
    return ax


def share_bars(rows, title=""):
    """What wholes are made of: a bar for each, cut into its parts, with shares from 4 % in figures.

    Args:
        rows: {row: {part: number}}, every row with the same parts, four at most.
    """
    parts = list(next(iter(rows.values())))
    _, ax = plt.subplots(figsize=(7.5, 1.1 + 0.34 * len(rows)))
    left = np.zeros(len(rows))
    for number, part in enumerate(parts):
        colour = PART_COLOURS[number]
        shares = np.array([numbers[part] / sum(numbers.values()) for numbers in rows.values()])
        ax.barh(list(rows), shares, left=left, color=colour, label=part)
        for row, share in enumerate(shares):
            ink = "black" if number else "white"
            if share >= 0.04:
                middle = left[row] + share / 2
                ax.text(middle, row, f"{share:.0%}", ha="center", va="center", color=ink)
        left += shares
    ax.set(title=title, xlim=(0, 1), xticks=[])
    ax.invert_yaxis()
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=len(parts), frameon=False)
    return ax


def learning_curves(lines, levels, title=""):
    """How a pretraining run went: masked words among their levels, and next sentences.

    Args:
        lines: of metrics.jsonl, see `read_metrics`.
        levels: {name: accuracy} of what guesses without a model, and of the ceiling.
    """
    _, (words, pairs) = plt.subplots(1, 2, figsize=(9.5, 3.6), sharey=True)
    for ax, task, heading in (
        (words, "masked_words", "masked words"),
        (pairs, "next_sentence", "next sentence"),
    ):
        accuracies = [line[f"held_out_{task}_accuracy"] for line in lines]
        if None not in accuracies:
            curves({heading: accuracies}, [line["batch"] for line in lines], heading, ax=ax)
        ax.set(xlabel="batches", ylim=(0, 1))
        ax.grid(axis="y", alpha=0.3)
    for name, level in levels.items():
        draw_level(words, name, level)
    draw_level(pairs, "chance", 0.5)
    words.set_ylabel("accuracy on held-out text")
    plt.suptitle(title)
    plt.tight_layout()
    return words, pairs


def draw_level(ax, name, level):
    ax.axhline(level, color="black", linestyle=":", linewidth=1)
    ax.text(1.0, level, f" {name} {level:.2f}", transform=ax.get_yaxis_transform(), fontsize=8)


def confusion(matrix, names):
    """Who was taken for whom: a row for each true class, coloured by the shares of its own count.

    Up to 12 classes have their counts in the cells, more have a scale of the shares beside them.

    Args:
        matrix: (C, C) counts, see `confusion_matrix`.
        names: of the C classes.
    """
    matrix = np.asarray(matrix)
    if matrix.shape != (len(names), len(names)):
        raise ValueError(
            "A confusion matrix has a row and a column for each class, and each class a name. "
            f"Received: a matrix of shape {matrix.shape}, {len(names)} names"
        )
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    size = 1.8 + (0.55 if len(names) <= 12 else 0.28) * len(names)
    _, ax = plt.subplots(figsize=(size, size), facecolor="white", layout="constrained")
    picture = ax.imshow(shares, cmap=COLOURS, vmin=0, vmax=1)
    ax.set_xticks(range(len(names)), names, rotation=90 if len(names) > 5 else 0)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="guess", ylabel="truth")
    if len(names) > 12:
        plt.colorbar(picture, shrink=0.7, label="share of the row")
    else:
        for (row, column), count in np.ndenumerate(matrix):
            ink = "black" if shares[row, column] > 0.5 else "white"
            ax.text(column, row, f"{count}", ha="center", va="center", color=ink, fontsize=8)
    return ax


def save_figure(path):
    """The current figure -> a PNG that is there whole or not at all."""
    content = io.BytesIO()
    plt.savefig(content, format="png", dpi=120)
    plt.close()
    write_whole(content.getvalue(), path)
