"""The course's own package: what the lessons import.

Each module is named after what you would look for: ``device``, ``data``, ``shapes``, ``ops``,
``training``, ``plots``, ``pieces``, ``checks``. They load when first used, so
``import helpers`` itself costs next to nothing.
"""

import importlib
import pkgutil

__all__ = sorted(
    module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
)


def __getattr__(name):
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
