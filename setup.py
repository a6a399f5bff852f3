"""Puts what the app shows beside the package into a wheel: pages, weights, runs and examples under lungcad/_app (lungcad/paths.py finds them there)."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = (
    "streamlit_app.py", ".streamlit/config.toml", "pages/*.py", "weights/*.json", "weights/*.safetensors", "weights/*.yaml",
    "data/bench.json", "data/audits/*.json", "data/concepts/*", "data/concepts/tcav/*",
    "data/examples/*", "data/examples/contours/*", "data/gate/*", "data/index/*.npz",
    "data/lab/*", "data/regions/*", "data/regions/*/*", "data/regions/*/*/*", "data/runs/*/*", "data/series/*", "data/trust/*/*", "data/truth/*", "data/taught/*",
)  # fmt: skip


class BuildWithApp(build_py):
    """Copies the files of the checkout that the app reads."""

    def run(self) -> None:
        """The package, and the rest beside it."""
        super().run()
        if self.editable_mode:
            return
        for pattern in SHIPPED:
            for path in sorted(Path().glob(pattern)):
                if path.is_file():
                    target = Path(self.build_lib, "lungcad", "_app", path)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)


setup(cmdclass={"build_py": BuildWithApp})
