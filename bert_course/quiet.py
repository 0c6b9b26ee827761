"""The backend without its banner, ten red lines that mean nothing, and without a false alarm."""

import contextlib
import logging
import os
import sys
import tempfile


@contextlib.contextmanager
def parked_stderr():
    """Standard error, file descriptor and all, set aside; shown after all if something goes wrong.

    TensorFlow's C++ side writes its banner before any log level is read, straight to descriptor 2.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as parked:
        saved = os.dup(2)
        os.dup2(parked.fileno(), 2)
        try:
            yield
        except BaseException:
            sys.stderr.flush()
            parked.seek(0)
            os.write(saved, parked.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)


def start_keras():
    """Import and return it, once its backend has looked for devices, which it does aloud."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    without_retracing_alarm()
    with parked_stderr():
        import keras

        keras.ops.zeros(())  # the first operation is what makes a backend look for devices
    return keras


def without_retracing_alarm():
    """Batches of texts have several widths, and TensorFlow, which compiles for each, warns of that.

    It takes for a mistake that a function is compiled so often. Its other warnings are shown.
    """
    logging.getLogger("tensorflow").addFilter(_is_no_retracing_alarm)


def _is_no_retracing_alarm(record):
    return "triggered tf.function retracing" not in record.getMessage()
