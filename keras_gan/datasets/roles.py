"""What the names of folders mean: training, validation or test pictures, side A or side B."""

import re
from collections.abc import Iterable
from typing import NamedTuple

#: The usual names of the three splits, in small letters and without separators.
SPLITS = {
    "train": ("training", "train", "trn"),
    "val": ("validation", "validate", "valid", "val", "development", "devel", "dev"),
    "test": ("testing", "test", "tst", "evaluation", "eval", "holdout", "heldout"),
}
#: Words that may stand beside them: "test_set", "TrainImages", "A_train_data".
FILLERS = r"(?:data|dataset|set|split|images?|imgs?|pictures?|pics?|photos?|frames?|folder|dir|domain|side|the|my)*"
WORDS = {word: split for split, words in SPLITS.items() for word in words}
SPLIT = f"(?P<split>{'|'.join(sorted(WORDS, key=len, reverse=True))})"
YEAR = r"(?:\d|(?:19|20)\d\d)?"  # test1, train2017
PATTERNS = [
    re.compile(f"{FILLERS}{SPLIT}{YEAR}{FILLERS}(?P<side>[ab])?{FILLERS}"),
    re.compile(f"{FILLERS}(?P<side>[ab]){FILLERS}{SPLIT}{YEAR}{FILLERS}"),
    re.compile(f"{FILLERS}(?P<side>[ab]){FILLERS}"),
]
SEPARATORS = re.compile(r"[\W_]+")


class Role(NamedTuple):
    """What a folder is for: "train", "val", "test" or "" (any split), and "A", "B" or "" (no side)."""

    split: str
    side: str


def role_of(name: str) -> Role | None:
    """The role that a folder's name tells, in any capitals and with any separators, or None."""
    text = SEPARATORS.sub("", name).casefold()
    for pattern in PATTERNS:
        found = pattern.fullmatch(text)
        if found:
            parts = found.groupdict()
            return Role(WORDS.get(parts.get("split") or "", ""), (parts.get("side") or "").upper())
    return None


def roles_of(names: Iterable[str]) -> dict[str, Role]:
    """{name: role} of the names in one folder that tell one.

    Names that tell none by themselves may do so after what they have in common: "cars_train" and "cars_test".
    """
    names = list(names)
    found = {name: role for name in names if (role := role_of(name))}
    if found or len(names) < 2:
        return found
    cuts = [cut.end() for cut in SEPARATORS.finditer(names[0])]
    start = max((cut for cut in cuts if all(name.startswith(names[0][:cut]) for name in names)), default=0)
    rest = {name: role_of(name[start:]) for name in names if start}
    return {name: role for name, role in rest.items() if role and role.split}
