"""What of a page is more than text to a browser."""

from html.parser import HTMLParser


class Alive(HTMLParser):
    """What a browser would not take for text: tags with their attributes, and the text of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.programs: list[str] = []
        self.inside: str | None = None
        self.feed(html)

    def parts_with(self, token: str) -> list[str]:
        """The tags, scripts and styles that hold a word."""
        return [part for part in (*map(str, self.tags), *self.programs) if token in part]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag if tag in ("script", "style", "title") else None
        self.tags.append((tag, attrs))

    def handle_endtag(self, tag: str) -> None:
        self.inside = None

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.programs.append(data)

    def handle_comment(self, data: str) -> None:
        self.programs.append(data)

    @property
    def attributes(self) -> list[tuple[str, str]]:
        """All attributes, as name and value."""
        return [(name, value or "") for _, attrs in self.tags for name, value in attrs]

    @property
    def loaded(self) -> set[str]:
        """The addresses that are loaded or led to, but pictures within the page and places in it."""
        named = {
            value for name, value in self.attributes if name in ("src", "href", "data", "action", "srcset", "poster")
        }
        return {value for value in named if not value.startswith(("data:image/png;base64,", "#"))}

    @property
    def handlers(self) -> set[tuple[str, str]]:
        """The attributes that hold a program."""
        return {(name, value) for name, value in self.attributes if name.startswith("on")}
