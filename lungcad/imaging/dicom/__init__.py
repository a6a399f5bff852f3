"""DICOM -> :class:`~lungcad.imaging.CTImage`: ``parse`` bytes, ``frames``, ``pixels``, ``padding``, ``rescale`` or ``display``,
``geometry``; ``read`` them all.
"""

from lungcad.imaging.dicom.parse import looks_like_dicom
from lungcad.imaging.dicom.read import read

__all__ = ["looks_like_dicom", "read"]
