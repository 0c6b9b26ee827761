"""What BERT is: the encoder in Keras layers, for every Keras backend."""

from bert_course.quiet import start_keras

keras = start_keras()
