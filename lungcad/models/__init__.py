"""Networks: backbone × attention × head, their weights and cards.

The table of contents is ``__init__.pyi``; torch is imported by what needs it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
