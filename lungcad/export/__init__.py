"""Networks as files that run without lungcad: one table of formats (:data:`FORMATS`), one call (:func:`export_network`)."""

# These fill the table, in the order in which they are named.
from lungcad.export import onnx, openvino, torch_export, torchscript, litert  # noqa: F401  isort: skip
from lungcad.export.agreement import Agreement, check_images
from lungcad.export.file import Exported, export_network
from lungcad.export.format import FORMATS, ExportFormat, Runner

__all__ = ["FORMATS", "Agreement", "ExportFormat", "Exported", "Runner", "check_images", "export_network"]
