"""Settings of the documentation site; `make docs` builds it in docs/_build/html.

The pages also work on GitHub. So a page links to files of the repository by relative paths, and the site resolves each
link in `on_the_site`: to another page, or to the file on GitHub.
"""

import configparser
import os
import re
import shutil
import sys
from pathlib import Path, PurePosixPath

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import inspect

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))

import keras_gan  # noqa: E402
from keras_gan.console import load_keras  # noqa: E402

load_keras()  # without the notes that TensorFlow prints

project = "keras_gan"
release = version = keras_gan.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
nitpicky = True

# Pages
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 4  # links to headings work as on GitHub
nb_execution_mode = "off"  # notebooks appear with the results that they are kept with
nb_merge_streams = True

# Docstrings
default_role = "code"  # single backticks mean code
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
napoleon_use_rtype = False
# What has no page here: types of other packages, and the sentences that napoleon takes for types.
nitpick_ignore_regex = [("py:.*", r"(pathlib|numpy|np|collections|typing|keras|types|contextlib)\..*|.*\s.*")]

# Look
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_theme = "furo"
html_title = "keras_gan"
html_copy_source = False
html_show_copyright = False
html_math_renderer = "mathml"
pygments_dark_style = "github-dark"

# Pages that are kept elsewhere in the repository are copied to docs/repository, which Git ignores.
COPIED = "repository"
ELSEWHERE = ["CHANGELOG.md", "CONTRIBUTING.md", "datasets/README.md", "benchmarks/README.md", "benchmarks/speed.png"]
ELSEWHERE += sorted(f"notebooks/{path.name}" for path in ROOT.glob("notebooks/*.ipynb"))


def repository_url():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    return settings["metadata"]["url"]


def copy_pages(app):
    """Copies ELSEWHERE. Unchanged files keep their time, so that their pages are not built again."""
    copies = {DOCS / COPIED / name: ROOT / name for name in ELSEWHERE}
    for copy in (DOCS / COPIED).rglob("*"):
        if copy.is_file() and copy not in copies:
            copy.unlink()
    for copy, original in copies.items():
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists() or copy.read_bytes() != original.read_bytes():
            shutil.copy2(original, copy)


def on_the_site(app, page, source):
    """Rewrites a page's relative links to files outside docs/; code blocks stay as they are."""
    origin = PurePosixPath(page.removeprefix(f"{COPIED}/") if page.startswith(f"{COPIED}/") else f"docs/{page}")

    def rewritten(match):
        path, hash_sign, heading = match["target"].partition("#")
        if not path or re.match(r"[a-z]+:", path):
            return match[0]
        path = os.path.normpath(origin.parent / path)
        if path.startswith("docs/"):
            there = path.removeprefix("docs/")
        elif path in ELSEWHERE:
            there = f"{COPIED}/{path}"
        else:
            kind = "tree" if (ROOT / path).is_dir() else "blob"
            return f"]({repository_url()}/{kind}/main/{path}{hash_sign}{heading})"
        return f"]({os.path.relpath(there, PurePosixPath(page).parent)}{hash_sign}{heading})"

    code_or_link = r"^(?P<fence>`{3,}).*?^(?P=fence)|\]\((?P<target>[^)\s]+)\)"
    source[0] = re.sub(
        code_or_link, lambda match: rewritten(match) if match["target"] else match[0], source[0], flags=re.M | re.S
    )


def as_rst(app, what, name, thing, options, lines):
    """Adapts a docstring to reStructuredText: blank lines around blocks, stars in shapes, plurals such as `Sides`s."""
    lines[:] = [re.sub(r"((`{1,2})[^`]+\2)(\w?)|(?<![\w\\*])\*(?=\w)", escaped, line) for line in lines]
    for number in range(len(lines) - 1, 0, -1):
        before, line = lines[number - 1], lines[number]
        deeper, item = indent(line) - indent(before), line.lstrip().startswith("- ")
        block_begins = deeper > 0 and (item or not before.lstrip().startswith((":", "..", "*", "-")))
        list_ends = deeper == 0 and not item and before.lstrip().startswith("- ")
        if before.strip() and line.strip() and (block_begins or list_ends or deeper < 0):
            lines.insert(number, "")


def escaped(match):
    code, _, plural = match.groups()
    return code + ("\\ " + plural if plural else "") if code else "\\*"


def indent(line):
    return len(line) - len(line.lstrip()) if line.strip() else 0


def signature(app, what, name, thing, options, given, returned):
    """The arguments of a class are those of its `__init__`, also where a base class has `__new__`."""
    if what != "class":
        return None
    arguments = inspect.signature(thing.__init__, bound_method=True)
    return inspect.stringify_signature(arguments, show_return_annotation=False, unqualified_typehints=True), None


def inline_math(translator, node):
    """Formulas as MathML, which browsers show without a script and without a network."""
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def block_math(translator, node):
    translator.body.append(f'<div class="math-wrapper">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline_math, None), (block_math, None))
    app.connect("builder-inited", copy_pages)
    app.connect("source-read", on_the_site)
    app.connect("autodoc-process-docstring", as_rst)
    app.connect("autodoc-process-signature", signature)
