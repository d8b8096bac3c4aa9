"""Just enough of a document tree to ask a page what stands where."""

from collections.abc import Iterator
from html.parser import HTMLParser

VOID = frozenset({"meta", "input", "link", "br", "img"})


class Node:
    def __init__(self, tag: str, attributes: dict[str, str | None], parent: "Node | None" = None):
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.children: list[Node | str] = []

    def __getitem__(self, name: str) -> str:
        value = self.attributes[name]
        assert value is not None
        return value

    @property
    def classes(self) -> list[str]:
        return (self.attributes.get("class") or "").split()

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def walk(self) -> Iterator["Node"]:
        for child in self.children:
            if isinstance(child, Node):
                yield child
                yield from child.walk()

    def all(self, tag: str | None = None, class_: str | None = None) -> list["Node"]:
        return [n for n in self.walk() if tag in (None, n.tag) and (class_ is None or class_ in n.classes)]

    def one(self, tag: str | None = None, class_: str | None = None) -> "Node":
        found = self.all(tag, class_)
        assert len(found) == 1, f"{len(found)} of {tag}.{class_}"
        return found[0]

    def by_id(self, id_: str) -> "Node":
        found = [node for node in self.walk() if node.attributes.get("id") == id_]
        assert len(found) == 1, f"{len(found)} elements have the id {id_}"
        return found[0]


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.here = Node("", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs), self.here)
        self.here.children.append(node)
        if tag not in VOID:
            self.here = node

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.here.children.append(Node(tag, dict(attrs), self.here))

    def handle_endtag(self, tag: str) -> None:
        assert self.here.tag == tag, f"</{tag}> closes <{self.here.tag}>"
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.children.append(data)


def parse(html: str) -> Node:
    """The document as a tree. Fails where a tag is not closed in its turn."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert builder.here is builder.root, f"<{builder.here.tag}> is not closed"
    return builder.root
