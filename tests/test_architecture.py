"""The house rules, read from the source: arrows point down, modules stay small, nothing is unpickled."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "stereokit"
# From the top of the house to its ground; rooms of one line stand on the same floor.
FLOORS = [
    ("__main__",),
    ("cli",),
    ("workflows",),
    ("serving",),
    ("models",),
    ("training",),
    ("losses", "nets", "representations"),
    ("data",),
    ("metrics",),
    ("audio",),
    ("catalog", "errors", "writing"),
    ("stereokit",),
]
HEIGHT = {room: -floor for floor, rooms in enumerate(FLOORS) for room in rooms}
GROUND = ("catalog", "errors", "writing")
MAX_LINES = 300
# The one module that reads what torch saved elsewhere, in a process of its own.
READS_WEIGHTS = "stereokit.workflows.published_weights"


@dataclass(frozen=True)
class Import:
    """One imported module and whether it is imported when the module itself is."""

    target: str
    at_import: bool


@dataclass(frozen=True)
class Module:
    """A module of the package: its dotted name and its source."""

    name: str
    source: str
    is_package: bool = False

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @property
    def room(self) -> str:
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else parts[0]


def modules() -> list[Module]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found.append(Module(name, path.read_text("utf-8"), is_package))
    return found


MODULES = modules()
NAMES = frozenset(module.name for module in MODULES)


def imports(module: Module, known: frozenset[str] = NAMES) -> Iterator[Import]:
    """Yield every import of a module, wherever it stands; ``from package import module`` names the module."""
    yield from _imports(module, module.tree, known, at_import=True)


def _imports(module: Module, node: ast.AST, known: frozenset[str], *, at_import: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, at_import) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:
                home = module.name.split(".")
                home = home[: len(home) - child.level + module.is_package]
                base = ".".join([*home, *([base] if base else [])])
            for alias in child.names:
                longer = f"{base}.{alias.name}"
                yield Import(longer if longer in known else base, at_import)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _imports(module, child, known, at_import=False)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for part in child.body:
                yield from _imports(module, ast.Module([part], []), known, at_import=False)
            for part in child.orelse:
                yield from _imports(module, ast.Module([part], []), known, at_import=at_import)
        else:
            yield from _imports(module, child, known, at_import=at_import)


def arrows_up(module: Module, known: frozenset[str] = NAMES) -> list[str]:
    """List the imports of a module that lead to a higher room, or to one that no floor names."""
    wrong = []
    for imported in imports(module, known):
        parts = imported.target.split(".")
        if parts[0] != "stereokit":
            continue
        target = parts[1] if len(parts) > 1 else parts[0]
        if HEIGHT.get(target, 1) > HEIGHT[module.room]:
            wrong.append(f"{module.name} -> {imported.target}")
    return wrong


def cycle(arrows: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def forbidden_calls(tree: ast.AST) -> list[str]:
    """List what runs data as code: pickle and its kin, eval, exec, torch.load, allow_pickle."""
    wrong = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            kin = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "marshal", "shelve"}
            wrong += [name for name in names if name.split(".")[0] in kin]
        elif isinstance(node, ast.Name) and node.id in {"eval", "exec", "pickle"}:
            wrong.append(node.id)
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in {"torch.load", "torch.save", "torch.jit.load"}:
            wrong.append(ast.unparse(node))
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            wrong.append(node.arg)
    return wrong


def reads_only_weights(tree: ast.AST) -> bool:
    """Tell whether every torch.load of a module is told, in so many words, to read weights only."""
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and ast.unparse(one.func) == "torch.load"]
    told = [[word.arg for word in call.keywords if ast.unparse(word.value) == "True"] for call in calls]
    return all("weights_only" in words for words in told)


def streams_named(tree: ast.AST) -> set[str]:
    """Return which of the process's streams a module names, as attributes of sys or imported from it."""
    streams = {"stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__"}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in streams and ast.unparse(node.value) == "sys":
            found.add(node.attr)
        if isinstance(node, ast.ImportFrom) and node.module == "sys":
            found |= streams & {alias.name for alias in node.names}
    return found


def calls_print(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "print" for node in ast.walk(tree))


class TestEveryModule:
    """Each rule over all modules; what breaks it is listed by name."""

    def test_stands_in_a_room_of_the_house(self):
        assert [module.name for module in MODULES if module.room not in HEIGHT] == []

    def test_imports_only_from_its_floor_or_below(self):
        assert [arrow for module in MODULES for arrow in arrows_up(module)] == []

    def test_is_short(self):
        lengths = {module.name: len(module.source.splitlines()) for module in MODULES}
        assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}

    def test_has_a_docstring_unless_it_is_private(self):
        public = [module for module in MODULES if not module.name.rsplit(".", 1)[-1].startswith("_")]
        assert [module.name for module in public if not ast.get_docstring(module.tree)] == []

    def test_is_no_drawer_for_everything(self):
        drawers = {"utils", "util", "helpers", "misc"}
        assert [module.name for module in MODULES if module.name.rsplit(".", 1)[-1] in drawers] == []

    def test_runs_no_data_as_code(self):
        wrong = {module.name: forbidden_calls(module.tree) for module in MODULES}
        assert {name: calls for name, calls in wrong.items() if calls} == {READS_WEIGHTS: ["torch.load"]}
        (reader,) = (module for module in MODULES if module.name == READS_WEIGHTS)
        assert reads_only_weights(reader.tree)

    def test_speaks_to_nobody_unless_it_is_the_command_line(self):
        silent = [module for module in MODULES if module.room != "cli"]
        assert [module.name for module in silent if calls_print(module.tree)] == []
        spoken = {"typer", "rich", "click"}
        targets = [(module.name, one.target) for module in silent for one in imports(module)]
        assert [pair for pair in targets if pair[1].split(".")[0] in spoken] == []

    def test_leaves_the_process_streams_to_one_module(self):
        # The last flush of the interpreter is the program's end, not a place to write.
        allowed = {"stereokit.cli.streams": {"stdin", "stdout", "stderr"}, "stereokit.cli.app": {"stdout"}}
        named = {module.name: streams_named(module.tree) - allowed.get(module.name, set()) for module in MODULES}
        assert {name: streams for name, streams in named.items() if streams} == {}


@pytest.mark.parametrize("room", ["data", "metrics", "audio", *GROUND])
def test_the_base_rooms_import_no_torch_when_they_are_imported(room: str):
    inside = [module for module in MODULES if module.room == room]
    assert inside
    heavy = {"torch", "torchaudio", "lightning", "lightning_fabric", "safetensors"}
    for module in inside:
        assert not [one for one in imports(module) if one.at_import and one.target.split(".")[0] in heavy], module.name


@pytest.mark.parametrize("room", GROUND)
def test_the_ground_stands_on_the_standard_library_alone(room: str):
    (module,) = (module for module in MODULES if module.room == room)
    for one in imports(module):
        first, *rest = one.target.split(".")
        assert first in sys.stdlib_module_names or (first == "stereokit" and rest and rest[0] in GROUND), one.target


def test_no_module_imports_itself_over_others():
    arrows = {
        module.name: {one.target for one in imports(module) if one.at_import and one.target in NAMES}
        for module in MODULES
    }
    assert cycle(arrows) == []
    assert sum(map(len, arrows.values())) > len(MODULES), "hardly any import was seen: the reader is broken"


def test_no_room_imports_itself_over_others():
    arrows: dict[str, set[str]] = {}
    for module in MODULES:
        rooms = {one.target.split(".")[1] for one in imports(module) if one.target.startswith("stereokit.")}
        arrows.setdefault(module.room, set()).update(rooms - {module.room})
    assert cycle(arrows) == []


class TestTheReaderItself:
    KNOWN = frozenset({"stereokit.cli", "stereokit.cli.app", "stereokit.audio", "stereokit.audio.clip"})

    @pytest.mark.parametrize(
        "source",
        [
            "import stereokit.cli.app",
            "from stereokit.cli.app import run",
            "from stereokit.cli import app",
            "from stereokit import cli",
            "def f():\n    from stereokit.cli import app",
            "def f():\n    if f:\n        import stereokit.cli",
            "class A:\n    async def f(self):\n        import stereokit.cli",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from stereokit.cli import app",
            "try:\n    import stereokit.cli\nexcept ImportError:\n    pass",
            "from ..cli import app",
            "from .. import cli",
            "from stereokit import attic",
            "import stereokit.attic",
        ],
    )
    def test_it_sees_an_arrow_up_wherever_it_stands(self, source: str):
        known = self.KNOWN | {"stereokit.attic"}
        assert len(arrows_up(Module("stereokit.audio.clip", source), known)) == 1

    @pytest.mark.parametrize(
        "source",
        ["from stereokit.errors import Status", "from . import files", "import cli", "from stereokit import x"],
    )
    def test_it_lets_arrows_down_pass(self, source: str):
        assert arrows_up(Module("stereokit.audio.clip", source), self.KNOWN) == []

    def test_it_knows_what_is_imported_late(self):
        late = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\ndef f():\n    import torch\n"
        seen = [one for one in imports(Module("stereokit.audio.clip", late)) if one.target == "torch"]
        assert [one.at_import for one in seen] == [False, False]
        eager = "if True:\n    import torch\nclass A:\n    import torch.nn\n"
        assert [one.at_import for one in imports(Module("stereokit.audio.clip", eager))] == [True, True]

    def test_it_finds_a_circle(self):
        assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
        assert not cycle({"a": {"b", "c"}, "b": {"c"}})

    @pytest.mark.parametrize(
        "source",
        [
            "import pickle",
            "from pickle import loads",
            "import dill as d",
            "eval('1')",
            "exec('1')",
            "torch.load(path)",
            "np.load(path, allow_pickle=True)",
        ],
    )
    def test_it_sees_data_run_as_code(self, source: str):
        assert forbidden_calls(ast.parse(source))

    def test_it_sees_a_load_of_more_than_weights(self):
        assert reads_only_weights(ast.parse("torch.load(path, weights_only=True)"))
        for words in ("", ", weights_only=False", ", weights_only=wanted"):
            assert not reads_only_weights(ast.parse(f"torch.load(path, weights_only=True)\ntorch.load(path{words})"))

    def test_a_model_may_be_put_into_evaluation(self):
        assert not forbidden_calls(ast.parse("model.eval()\nnp.load(path)\nsafetensors.torch.load_file(path)"))

    def test_it_sees_streams_and_prints(self):
        assert streams_named(ast.parse("import sys\nsys.stdout.write('')")) == {"stdout"}
        assert streams_named(ast.parse("from sys import stderr")) == {"stderr"}
        assert streams_named(ast.parse("streams.stdout.write('')")) == set()
        assert calls_print(ast.parse("print(1)"))
        assert not calls_print(ast.parse("'print(1)'"))
