"""The commands of `python -m bert_course`, one file each."""
