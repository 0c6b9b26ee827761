"""Start the backend without its banner: some ten red lines on standard error that mean nothing."""

import contextlib
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
