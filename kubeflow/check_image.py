"""Run in the image, when it is built: everything that a step may name can be imported, and the libraries load.

python /opt/check_image.py cpu|cuda
"""

import ctypes
import importlib
import pkgutil
import sys
from pathlib import Path

PACKAGES = ("schemas", "interest_migration", "components", "pipeline")
ENTRY = ("pipeline.__main__",)  # runs the command when it is imported


def import_everything() -> int:
    """Imports every module of the project; returns how many."""
    count = 0
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if module.name not in ENTRY:
                importlib.import_module(module.name)
                count += 1
    return count


def find_user_functions() -> list[str]:
    """Loads the functions that TFX finds by their paths.

    Raises:
      AttributeError: If one is missing.
      TypeError: If one is no function.
    """
    from pipeline import graph

    paths = [graph.PREPROCESSING_FN, graph.RUN_FN, graph.TUNER_FN]
    for path in paths:
        module, _, name = path.rpartition(".")
        if not callable(getattr(importlib.import_module(module), name)):
            raise TypeError(f"expected a function at {path}")
    return paths


def load_cuda(site_packages: Path) -> list[str]:
    """Loads CUDA's libraries; the driver is not needed.

    Raises:
      OSError: If one is missing or does not load.
    """
    folder = site_packages / "nvidia"
    wanted = ("cuda_runtime/lib/libcudart.so.*", "cublas/lib/libcublas.so.*", "cudnn/lib/libcudnn.so.*")
    loaded = []
    for pattern in wanted:
        found = sorted(folder.glob(pattern))
        if not found:
            raise OSError(f"expected {folder / pattern}, found none")
        ctypes.CDLL(str(found[0]), mode=ctypes.RTLD_GLOBAL)
        loaded.append(found[0].name)
    return loaded


def multiply() -> float:
    """Lets TensorFlow compute something."""
    import tensorflow as tf

    return float(tf.reduce_sum(tf.matmul(tf.eye(3), tf.ones([3, 3]))))


def main(accelerator: str) -> None:
    """Checks the image; any failure ends the build."""
    import tensorflow as tf

    if accelerator == "cuda":
        print("CUDA:", *load_cuda(Path(tf.__file__).parents[1]))
    if multiply() != 9:
        raise ArithmeticError("expected TensorFlow to multiply")
    print(import_everything(), "modules;", *find_user_functions())


if __name__ == "__main__":
    main(sys.argv[1])
