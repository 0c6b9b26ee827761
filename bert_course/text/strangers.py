"""Half of all pairs change their B for a stranger's, and nothing but the meaning shows it."""

import numpy as np

IS_NEXT, NOT_NEXT = 0, 1
# Of shapes that may change places; a shape is 4 times the length of B, and a little more.
WIDTHS = (1, 4 * 16, 2**31)


def change_seconds(plan, rng):
    """Draw half of the pairs of each shape to be NOT_NEXT; these change their B with one another.

    Answers with a new `Plan` and the labels (N,).
    """
    by_shape = np.argsort(plan.shapes + rng.random(len(plan.shapes)))  # in a shape, at random
    drawn = by_shape[rng.integers(2) :: 2]
    labels = np.full(len(by_shape), IS_NEXT, "uint8")
    labels[drawn] = NOT_NEXT
    givers = draw_givers(plan, drawn, rng)
    starts, lengths = plan.second_starts.copy(), plan.second_lengths.copy()
    starts[drawn] = plan.second_starts[givers]
    # A giver's B of another length is cut, or goes on to where its document ends.
    lengths[drawn] = np.minimum(lengths[drawn], plan.document_ends[givers] - starts[drawn])
    return plan._replace(second_starts=starts, second_lengths=lengths), labels


def draw_givers(plan, drawn, rng):
    """Whose B each one gets: among pairs of one shape, then of about one length, then among all.

    Each time, those change places that have found no other document before. If some never do, for
    one document has more pairs than all others, they get copies.
    """
    documents, givers = plan.documents[drawn], drawn.copy()
    for width in WIDTHS:
        left = np.flatnonzero(plan.documents[givers] == documents)
        circles = plan.shapes[drawn[left]] // width
        givers[left] = givers[left][draw_partners(circles, documents[left], rng)]
    left = np.flatnonzero(plan.documents[givers] == documents)
    givers[left] = draw_copies(plan, drawn[left], rng)
    return givers


def draw_partners(circles, documents, rng):
    """A permutation inside each circle that, wherever that can be, changes the document.

    Everybody stands in his circle, document by document, and looks the same number of places ahead.
    That number is no less than the most that are of one document and no more than what they leave:
    so nobody sees his own document, unless it has more than half of the circle.
    """
    runs = circles * (documents.max(initial=0) + 1) + documents
    order = np.argsort(runs)
    circle_starts, run_starts = changes(circles[order]), changes(runs[order])
    sizes = np.diff(circle_starts, append=len(order))
    runs = np.diff(run_starts, append=len(order))  # of one document in one circle
    most = np.maximum.reduceat(runs, np.searchsorted(run_starts, circle_starts))
    ahead = rng.integers(most, np.maximum(sizes - most, most), endpoint=True)
    starts, ahead, sizes = (np.repeat(column, sizes) for column in (circle_starts, ahead, sizes))
    partners = np.empty_like(order)
    partners[order] = order[starts + (np.arange(len(order)) - starts + ahead) % sizes]
    return partners


def changes(column):
    """The places where a sorted column has another number than before."""
    return np.flatnonzero(np.diff(column, prepend=-1))


def draw_copies(plan, rows, rng):
    """For each row any pair of another document, which from B on is long enough."""
    rooms = plan.document_ends - plan.second_starts
    by_room = np.argsort(rooms)
    documents, rooms = plan.documents[by_room], rooms[by_room]
    copies = np.empty_like(rows)
    for document in np.unique(plan.documents[rows]):
        own = plan.documents[rows] == document
        others = np.flatnonzero(documents != document)  # from the least room to the most
        least = np.searchsorted(rooms[others], plan.second_lengths[rows[own]])
        least = np.minimum(least, len(others) - 1)  # where none has enough, the most there is
        copies[own] = by_room[others[rng.integers(least, len(others))]]
    return copies
