"""The direction of the imports: device, imaging <- ... <- pages, read from the source."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ORDER = [
    {"allocator", "batched", "errors", "machine", "names", "paths", "progress", "registry"},
    {"schema", "files", "list_files", "stored_json", "stored_arrays", "unpack", "private_folder"},
    {"estimate", "preprocess_config"},
    {"device", "imaging"},
    {"preprocess", "datasets"},
    {"models"},
    {"explain", "gate"},
    {"evaluate"},
    {"publish", "answer"},
    {"train", "export"},
    {"backends"},
    {"analysis", "ensemble_answer"},
    {"series"},
    {"report", "lab", "batch"},
    {"scheduler"},
    {"bench"},
    {"api"},
    {"app", "cli"},
    {"__main__", "pages", "streamlit_app"},
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}
FILES = sorted([*(ROOT / "lungcad").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "streamlit_app.py"])


def room(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "lungcad" else parts[0]


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    own = room(path)
    if own == "__init__":
        return
    assert own in LEVEL, f"{own} has no place in the order of the rooms"
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "lungcad" and len(parts) > 1 and parts[1] in LEVEL and parts[1] != own:
            assert LEVEL[parts[1]] < LEVEL[own] or {parts[1], own} <= {"imaging", "device"}, f"{own} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_streamlit_and_torch_keep_to_their_rooms(path):
    modules = {name.split(".")[0] for name in imported(path)}
    own = room(path)
    if "streamlit" in modules:
        assert own in {"app", "pages", "streamlit_app"}
    if own in {"pages", "streamlit_app"}:
        assert not modules & {"torch", "numpy", "timm"}
        allowed = {"allocator", "app", "analysis", "errors", "private_folder"}
        assert {name.split(".")[1] for name in imported(path) if name.startswith("lungcad.")} <= allowed
    if own != "device":
        assert "torch.cuda" not in path.read_text("utf-8")


def defined(path: Path) -> set[str]:
    """Names that stand at a module's top level."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case (
                ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store())
            ):
                names.add(name)
            case ast.Import() | ast.ImportFrom():
                names |= {(alias.asname or alias.name) for alias in node.names}
    return names


def is_there(name: str) -> bool:
    """name: dotted, a module or something in one."""
    path = ROOT.joinpath(*name.split("."))
    module = next(
        (file for file in (path.parent.with_suffix(".py"), path.parent / "__init__.pyi", path.parent / "__init__.py") if file.is_file()),
        None,
    )
    return path.with_suffix(".py").is_file() or path.is_dir() or (module is not None and path.name in defined(module))


@pytest.mark.parametrize("path", [*FILES, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_imported_is_there(path):
    """Of lungcad and tests: a moved module leaves no import behind, not even inside a function."""
    missing = [name for name in imported(path) if name.split(".")[0] in {"lungcad", "tests"} and not is_there(name)]
    assert not missing
