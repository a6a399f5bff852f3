"""A case as DICOM objects for the archive, by highdicom: ``header`` (what is copied of the source), ``explained`` (what is said of a slice), one module an
object, ``table`` them all.

The objects carry the patient's name and identifier, as the archive needs them; nothing else that lungcad writes does.
"""
