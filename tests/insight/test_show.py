"""What the notebooks show, looked at from behind: the figure's parts, the text's words."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bert_course.insight import show
from bert_course.model.attention import attention


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def written(ax):
    return [text.get_text() for text in ax.texts]


def test_describe_says_that_it_stands_for_a_figure(capsys):
    show.describe("a line that falls")
    assert capsys.readouterr().out == "Figure: a line that falls\n"


def test_show_source_shows_the_package_as_it_is(monkeypatch):
    shown = []
    monkeypatch.setattr(show, "display", lambda data, raw: shown.append(data))
    show.show_source(attention)
    assert "def attention(query, key, value" in shown[0]["text/plain"]
    assert shown[0]["text/plain"] in shown[0]["text/markdown"]


def test_small_maps_carry_their_numbers():
    ax = show.heat_map(np.array([[0.25, 1.0]]), ["row"], ["a", "b"], "title")
    assert written(ax) == ["0.25", "1.00"]
    assert ax.get_title() == "title"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b"]


def test_whole_numbers_are_written_whole():
    assert written(show.heat_map(np.array([[3, 11]]))) == ["3", "11"]


def test_large_maps_are_colour_only():
    assert written(show.heat_map(np.zeros((20, 20)))) == []


def test_numbers_are_legible_on_their_colour():
    ax = show.heat_map(np.array([[0.0, 1.0]]))
    assert [text.get_color() for text in ax.texts] == ["white", "black"]


def test_attention_maps_share_one_scale_from_0_to_1():
    axes = show.attention_heads(np.full((3, 2, 2), 0.5), ["a", "b"])
    assert [ax.images[0].get_clim() for ax in axes] == [(0, 1)] * 3
    assert axes[0].get_ylabel() == "looks"


def test_sizes_stand_on_a_log_axis_and_zero_at_its_left_edge():
    ax = show.sizes_chart({"fresh": {"a": 0.0, "b": 1e-3}, "worn": {"a": 1e-2, "b": 10.0}}, [1e-5])
    left = [marks.get_offsets()[:, 0].tolist() for marks in ax.collections]
    assert left == [[1e-8, 1e-3], [1e-2, 10.0]]
    assert ax.get_xscale() == "log"
    assert ax.get_xticklabels()[0].get_text() == "0"


def test_curves_have_their_names_and_no_two_look_alike():
    ax = show.curves({f"line {i}": [i, i + 1] for i in range(6)}, log=True)
    looks = {(line.get_color(), line.get_linestyle()) for line in ax.lines}
    assert len(looks) == 6
    assert [text.get_text() for text in ax.get_legend().get_texts()][:2] == ["line 0", "line 1"]


def test_share_bars_fill_each_row_and_write_all_but_slivers():
    ax = show.share_bars({"one": {"a": 1, "b": 99}, "two": {"a": 50, "b": 50}})
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == pytest.approx([0.01, 0.5, 0.99, 0.5])
    assert written(ax) == ["50%", "99%", "50%"]


def test_confusions_carry_their_counts_and_are_coloured_by_row():
    ax = show.confusion(np.array([[90, 10], [0, 2]]), ["common", "rare"])
    assert written(ax) == ["90", "10", "0", "2"]
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("truth", "guess")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["common", "rare"]
    assert ax.images[0].get_array().tolist() == [[0.9, 0.1], [0, 1]]  # by column: 1, .83; 0, .17
    assert [text.get_color() for text in ax.texts] == ["black", "white", "white", "black"]
    assert ax.figure.get_facecolor() == (1, 1, 1, 1)


@pytest.mark.parametrize(("num_classes", "numbers", "axes"), [(12, 144, 1), (13, 0, 2)])
def test_confusions_of_many_classes_have_a_scale_instead(num_classes, numbers, axes):
    matrix = np.eye(num_classes, dtype=int)
    matrix[3, 3] = 0  # a class that never occurs
    ax = show.confusion(matrix, [f"class {i}" for i in range(num_classes)])
    assert len(ax.texts) == numbers
    assert len(ax.figure.axes) == axes
    assert not ax.images[0].get_array()[3].any()


def test_a_confusion_without_a_name_for_each_class_is_refused():
    with pytest.raises(ValueError, match=r"each class a name.*shape \(2, 2\), 3 names"):
        show.confusion(np.eye(2), ["a", "b", "c"])
