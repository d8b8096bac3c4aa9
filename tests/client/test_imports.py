import ast
from pathlib import Path

import callgrade.client

ROOT = Path(callgrade.client.__file__).parent


def test_the_client_stands_on_the_domain_alone() -> None:
    """It is for others' programs: it must not bring the service along."""
    for path in ROOT.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in names:
                if name.startswith("callgrade"):
                    assert name.startswith(("callgrade.client.", "callgrade.domain.")), f"{path.name} imports {name}"
