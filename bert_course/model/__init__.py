"""What BERT is: the encoder in Keras layers, for every Keras backend."""

import os

from bert_course.quiet import parked_stderr, without_retracing_alarm

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
without_retracing_alarm()
with parked_stderr():
    import keras

    keras.ops.zeros(())  # the first operation is what makes a backend look for devices, aloud
