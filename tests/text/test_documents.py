"""Text files -> documents -> sentences: layouts, memory, errors."""

import re
import textwrap
import tracemalloc

import pytest

from bert_course.text.documents import guess_layout, read_documents, read_lines

SENTENCES = "The hen sings.\nThe ice melts.\n\nA boat came.\nIt was late.\n"
PARAGRAPHS = "The hen sings. The ice melts.\nIt is spring.\n\nA boat came. It was late.\n"


@pytest.fixture
def file(tmp_path):
    def write(content, name="corpus.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


def test_a_sentence_a_line(file):
    documents = list(read_documents([file(SENTENCES)]))
    assert documents == [["The hen sings.", "The ice melts."], ["A boat came.", "It was late."]]


def test_a_paragraph_a_line(file):
    documents = list(read_documents([file(PARAGRAPHS)]))
    assert documents == [
        ["The hen sings.", "The ice melts.", "It is spring."],
        ["A boat came.", "It was late."],
    ]


def test_a_layout_that_is_said_is_not_guessed(file):
    (lines, _), _ = [
        (document.sentences, document.layout)
        for document in read_lines([file(PARAGRAPHS)], layout="sentences")
    ]
    assert lines == ["The hen sings. The ice melts.", "It is spring."]
    documents = list(read_documents([file(SENTENCES)], layout="paragraphs"))
    assert documents == [["The hen sings.", "The ice melts."], ["A boat came.", "It was late."]]


def test_each_file_has_its_own_layout_which_is_said(file):
    paths = [file(SENTENCES, "a.txt"), file(PARAGRAPHS, "b.txt")]
    layouts = [document.layout for document in read_lines(paths)]
    assert layouts == ["sentences"] * 2 + ["paragraphs"] * 2


@pytest.mark.parametrize(
    ("lines", "layout"),
    [
        (["One stop."] * 9 + ["Two. Stops."], "sentences"),
        (["One stop."] * 7 + ["Two. Stops."] * 3, "paragraphs"),
        (["“Who is it?” asked Ann."] * 3, "sentences"),
        (["no stop at all"], "sentences"),
        ([], "sentences"),
    ],
)
def test_what_the_layout_is_guessed_from(lines, layout):
    assert guess_layout(lines) == layout


def test_empty_lines_however_many_end_one_document(file):
    text = "\n \n\nThe hen sings.\n\t\n\n\u3000\nA boat came.\n\n\n"
    assert list(read_documents([file(text)])) == [["The hen sings."], ["A boat came."]]


def test_the_end_of_a_file_ends_a_document_and_no_line_end_is_needed(file):
    paths = [file("The hen sings.", "a.txt"), file("A boat came.", "b.txt")]
    assert list(read_documents(paths)) == [["The hen sings."], ["A boat came."]]


def test_line_ends_of_windows_and_a_byte_order_mark(file):
    path = file("\ufeffThe hen sings.\r\n\r\nA boat came.\r\n")
    assert list(read_documents([path])) == [["The hen sings."], ["A boat came."]]


def test_characters_that_only_python_takes_for_line_ends_are_none(file):
    text = "The\x0bhen\u2028sings\x85.\n"
    assert list(read_documents([file(text)])) == [[text.strip()]]


@pytest.mark.parametrize("as_string", [True, False])
def test_one_path_alone_is_a_path(file, as_string):
    path = file(SENTENCES)
    assert len(list(read_documents(str(path) if as_string else path))) == 2


def test_the_sizes_of_documents_add_up_to_the_file(file):
    path = file(PARAGRAPHS)
    assert sum(document.size for document in read_lines([path])) == path.stat().st_size


# ------------------------------------------------------------------------------------------ memory


def peak_while_reading(path, layout):
    tracemalloc.start()
    count = sum(1 for _ in read_documents([path], layout))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return count, peak


@pytest.mark.parametrize("layout", ["sentences", "paragraphs", None])
def test_memory_does_not_grow_with_the_corpus(file, layout):
    document = "The hen sings. It is spring.\n" * 20 + "\n"
    peaks = []
    for copies in (100, 1000):
        count, peak = peak_while_reading(file(document * copies), layout)
        assert count == copies
        peaks.append(peak)
    assert peaks[1] < 1.2 * peaks[0]


def test_memory_that_grows_is_seen(file):
    def peak(copies):
        path = file("The hen sings.\n\n" * copies)
        tracemalloc.start()
        kept = list(read_documents([path], "sentences"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(kept) == copies
        return peak

    assert peak(10_000) > 2 * peak(1000)


# ------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("One.\nCaf\xe9.\n".encode("latin-1"), "Text is read as UTF-8: convert it first.*, line 2"),
        (b"One.\n\nPNG\x00\x01\n", "no zero bytes.*corpus.txt, line 3"),
        ("Text in UTF-16.\n".encode("utf-16-le"), "UTF-16.*corpus.txt, line 1"),
        (b"", "A file must hold text.*corpus.txt, which is empty"),
        (b"\n \n\n", "A file must hold text.*corpus.txt, which is empty"),
        (b"One.\n" + b"a" * 1_000_001, "at most 1,000,000 bytes.*line 2, which is longer"),
    ],
    ids=["latin-1", "binary", "utf-16", "empty", "blank", "long line"],
)
def test_a_file_that_is_no_text_is_named_with_its_line(file, content, expected):
    with pytest.raises(ValueError, match=expected):
        list(read_documents([file(content)]))


def test_a_fault_after_the_lines_that_the_layout_is_guessed_from(file):
    with pytest.raises(ValueError, match="line 1501"):
        list(read_documents([file(b"One.\n" * 1500 + b"\xff\n")]))


def test_the_byte_that_is_wrong_is_named(file):
    with pytest.raises(ValueError, match=r"the byte 0xe9 at place 4$"):
        list(read_documents([file("Caf\xe9.\n".encode("latin-1"))]))


def test_a_line_may_have_a_megabyte(file):
    assert len(list(read_documents([file(b"a" * 999_999 + b"\n")]))) == 1


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"made of text files.*nowhere.txt \(No such file"):
        list(read_documents([tmp_path / "nowhere.txt"]))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ValueError, match=r"made of text files.*([Dd]irectory|denied)"):
        list(read_documents([tmp_path]))


def test_pairs_need_two_documents(file):
    path = file("The hen sings.\nThe ice melts.\n")
    with pytest.raises(ValueError, match=r"At least 2 documents.*Received: 1 in .*corpus.txt"):
        list(read_documents([path], min_documents=2))
    assert len(list(read_documents([path, path], min_documents=2))) == 2


def test_no_file_at_all():
    with pytest.raises(ValueError, match="one text file or more"):
        list(read_documents([]))


def test_a_layout_that_there_is_not(file):
    with pytest.raises(ValueError, match=re.escape("one of ('sentences', 'paragraphs')")):
        list(read_documents([file(SENTENCES)], layout="words"))


# --------------------------------------------------------------------------------------- real data


def test_the_sample_of_bert_has_a_sentence_a_line(course_data):
    documents = list(read_lines([course_data / "sample" / "sample_text.txt"]))
    assert {document.layout for document in documents} == {"sentences"}
    assert [len(document.sentences) for document in documents] == [3, 13, 15]


def test_novels_have_a_paragraph_a_line_and_a_chapter_a_document(course_data):
    paths = sorted((course_data / "books").glob("*.txt"))
    documents = list(read_lines(paths))
    assert {document.layout for document in documents} == {"paragraphs"}
    assert len(documents) == 1485
    assert sum(document.size for document in documents) == sum(p.stat().st_size for p in paths)


PARAGRAPH = "The mill stood by the river, and the miller sang all day long. " * 20


def test_text_of_a_fixed_width_is_refused(tmp_path):
    path = tmp_path / "wrapped.txt"
    path.write_text("\n".join(textwrap.wrap(PARAGRAPH, 40)), "utf-8")
    with pytest.raises(ValueError, match=r"join the lines of each paragraph.*wrapped.txt"):
        list(read_documents([path]))
    assert len(list(read_documents([path], layout="sentences"))) == 1  # who names it, gets it


def test_the_same_text_in_one_line_is_not(tmp_path):
    path = tmp_path / "paragraph.txt"
    path.write_text((PARAGRAPH + "\n") * 30, "utf-8")
    assert len(next(read_documents([path]))) == 600


def test_verse_is_not_taken_for_it(tmp_path):
    path = tmp_path / "verse.txt"
    path.write_text("The mill stood by the river,\nAnd sang the whole day long,\n" * 20, "utf-8")
    assert len(next(read_documents([path]))) == 40
