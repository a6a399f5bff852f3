"""Chest CT-Scan images (Kaggle ``mohamedhanyyy/chest-ctscan-images``, ODbL 1.0)."""

from lungcad.datasets.layout import Layout, register

CHEST_CT_SCAN = register(
    Layout(
        name="chest-ct-scan",
        title="Chest CT-Scan images",
        publisher="Kaggle mohamedhanyyy/chest-ctscan-images",
        licence="ODbL 1.0",
        # train/ and valid/ append a stage to the class: "adenocarcinoma_left.lower.lobe_T2_N0_M0_Ib"
        class_prefixes={
            "adenocarcinoma": ("adenocarcinoma",),
            "large.cell.carcinoma": ("large.cell.carcinoma",),
            "normal": ("normal",),
            "squamous.cell.carcinoma": ("squamous.cell.carcinoma",),
        },
    )
)
