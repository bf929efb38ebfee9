"""The few shapes of SVG that a timeline needs; everything that is text is escaped here and nowhere else."""

from xml.sax.saxutils import escape, quoteattr


def element(name: str, content: str = "", **attributes: str | float) -> str:
    """One element; `class_` and `stroke_width` become what XML calls them, numbers are kept short."""
    said = "".join(
        f" {name.rstrip('_').replace('_', '-')}={quoteattr(_value(value))}"
        for name, value in attributes.items()
    )
    return f"<{name}{said}>{content}</{name}>" if content else f"<{name}{said}/>"


def rect(x: float, y: float, width: float, height: float, class_: str, hint: str = "") -> str:
    """A rectangle with round corners, and a hint for whoever points at it."""
    title = element("title", escape(hint)) if hint else ""
    corner = min(4.0, width / 2)
    return element("rect", title, x=x, y=y, width=width, height=height, rx=corner, class_=class_)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def text(x: float, y: float, words: str, class_: str = "", anchor: str = "start") -> str:
    return element("text", escape(words), x=x, y=y, class_=class_, text_anchor=anchor)


def dot(x: float, y: float, radius: float, class_: str, hint: str) -> str:
    return element("circle", element("title", escape(hint)), cx=x, cy=y, r=radius, class_=class_)


def cross(x: float, y: float, size: float, class_: str, hint: str) -> str:
    arms = f"M{x - size:.1f} {y - size:.1f}l{2 * size} {2 * size}m0 {-2 * size}l{-2 * size} {2 * size}"
    return element("path", element("title", escape(hint)), d=arms, class_=class_)


def document(
    width: float, height: float, *, title: str, description: str, style: str, shapes: list[str]
) -> str:
    """A whole picture that says in words what it shows (`<title>`, `<desc>`)."""
    head = [
        element("title", escape(title), id="title"),
        element("desc", escape(description), id="desc"),
        element("style", escape(style)),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        'aria-labelledby="title desc">\n' + "\n".join([*head, *shapes]) + "\n</svg>\n"
    )


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{round(value, 1):g}"
