"""Reports of a case, a data set or a run: sections as data (:mod:`~lungcad.report.document`), rendered as PDF and as one HTML file.

``dicom``: a case as DICOM objects for the archive. ``deidentify``: DICOM files without what tells who the patient is.
"""
