"""An array in a .npy file that grows at its end: no more of it is in memory than is added."""

import os

import numpy as np


class GrowingArray:
    """Rows, some at a time -> a .npy file; for a `with` statement.

    The number of rows stands at the file's beginning. It is written when all is known, for which
    numpy leaves room.
    """

    def __init__(self, path):
        self.path, self.rows = path, 0
        self.dtype = self.row_shape = None

    def add(self, rows):
        """What the first rows look like, all others must."""
        if self.dtype is None:
            self.dtype, self.row_shape = rows.dtype, rows.shape[1:]
            self._write_beginning()
        if (rows.dtype, rows.shape[1:]) != (self.dtype, self.row_shape):
            raise ValueError(
                f"All rows must be {self.dtype} of shape {self.row_shape}, as the first ones were. "
                f"Received: {rows.dtype} of shape {rows.shape[1:]}"
            )
        self.file.write(np.ascontiguousarray(rows).data)
        self.rows += len(rows)

    def _write_beginning(self):
        shape = (self.rows, *self.row_shape)
        about = {"descr": self.dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self.file, about)

    def __enter__(self):
        self.file = open(self.path, "wb")
        return self

    def __exit__(self, kind, *_):
        with self.file:
            if kind is None:
                self.file.seek(0)
                self._write_beginning()
                self.file.flush()
                os.fsync(self.file.fileno())
