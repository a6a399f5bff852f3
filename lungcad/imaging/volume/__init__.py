"""CT series: ``study`` finds them in folders, zips and files, ``series`` sorts them, ``dicom_series`` and ``nifti`` read one into a
:class:`CTVolume`.
"""

from lungcad.imaging.volume.ct_volume import CTVolume, SliceSource
from lungcad.imaging.volume.series import Series
from lungcad.imaging.volume.study import Study, describe, load, opened, read_volume, study_in_memory

__all__ = ["CTVolume", "Series", "SliceSource", "Study", "describe", "load", "opened", "read_volume", "study_in_memory"]
