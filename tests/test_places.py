"""Where files lie."""

from bert_course import places


def test_the_environment_names_real_data_and_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BERT_COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("BERT_COURSE_CACHE", str(tmp_path))
    assert places.real_data() == places.cache() == tmp_path


def test_without_the_environment_there_is_no_real_data_and_the_usual_cache(monkeypatch):
    monkeypatch.delenv("BERT_COURSE_DATA", raising=False)
    monkeypatch.delenv("BERT_COURSE_CACHE", raising=False)
    assert places.real_data() is None
    assert places.cache().parts[-2:] == (".cache", "bert_course")
