"""With this folder on PYTHONPATH a process starts TensorFlow sooner, and so do those that it starts.

Beside TensorFlow it finds neither JAX nor pandas, which TensorFlow and Keras load wherever they are installed. This
package needs neither of them on TensorFlow. TensorFlow's graph optimizer is off, as in tests in pytest's own process.
"""

import importlib.machinery
import sys

UNUSED = {"jax", "pandas"}


def is_test():
    """Whether this is one of pytest's own processes, whose tests may need more."""
    return "_pytest" in sys.modules


class Quick(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name in UNUSED and "tensorflow" in sys.modules and not is_test():
            return None
        spec = super().find_spec(name, path, target)
        if name == "tensorflow" and spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_without_optimizer(module):
                load(module)
                if hasattr(module, "config"):  # a stub of a test has none
                    module.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})

            spec.loader.exec_module = load_without_optimizer
        return spec


sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Quick
