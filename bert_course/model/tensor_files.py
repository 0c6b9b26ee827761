"""Hugging Face's weight files: names and arrays, read and written."""

import numpy as np
import safetensors
import safetensors.numpy

from bert_course.files import write_whole


def read_safetensors(path):
    """Every tensor of a .safetensors file as {name: array}."""
    try:
        return safetensors.numpy.load_file(path)
    except safetensors.SafetensorError as error:
        raise ValueError(
            "The weights are truncated or damaged: copy or download the file again. "
            f"Received: {path} ({error})"
        ) from None


def read_torch_weights(path):
    """Every tensor of a pytorch_model.bin as {name: array}; it may hold tensors and nothing else.

    A .bin file is a pickle, and a pickle can run any code: only torch's restricted reader is used.
    """
    way_out = "convert it to model.safetensors, or download that file instead"
    try:
        import torch
    except ImportError:
        raise ValueError(
            "A pytorch_model.bin is a pickle, which could run any code; only torch reads it "
            f"safely, and torch is not installed: `pip install torch`, or {way_out}. "
            f"Received: {path}"
        ) from None
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
        return {name: tensor.detach().float().numpy() for name, tensor in tensors.items()}
    except Exception as error:  # torch names no base class: unpickling, zip and key errors alike
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"The file is damaged or holds more than tensors, so it was not run: {way_out}. "
            f"Received: {path} ({reason})"
        ) from None


def write_safetensors(tensors, path):
    """{name: array} -> a .safetensors file, whole or not at all."""
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    # transformers wants to be told which framework's conventions the names follow
    content = safetensors.numpy.save(tensors, metadata={"format": "pt"})
    write_whole(content, path)
