"""DICOM files without what tells who the patient is: ``profile`` (the standard's table, element by element), ``pseudonyms``, ``folder`` (whole series)."""

from lungcad.report.deidentify.folder import Deidentified, deidentify

__all__ = ["Deidentified", "deidentify"]
