"""The data sets that `python -m keras_gan.datasets download NAME` fetches."""

import textwrap
from dataclasses import dataclass

PAIRED = "http://efrosgans.eecs.berkeley.edu/pix2pix/datasets"
UNPAIRED = "https://efrosgans.eecs.berkeley.edu/cyclegan/datasets"

ZAPPOS = "UT Zappos50K: academic, non-commercial use"
RESEARCH = "non-commercial research"
FACADES = "CMP Facade Database, see there"
GOOGLE = "Google Maps, see its terms"
UNKNOWN = "not stated, ask the makers"


@dataclass(frozen=True)
class Entry:
    """A data set on the web: one archive, with A in the left halves or in trainA and testA.

    `size` is that of the archive in bytes, `about` if it was rounded, None if nobody told. A `sha256`
    is certain; an `md5` comes from a single list of somebody else's, and is worth a warning only.
    """

    name: str
    url: str
    paired: bool
    sides: str
    terms: str
    size: int | None = None
    about: bool = False
    sha256: str | None = None
    md5: str | None = None
    direction: str = "AtoB"
    hint: str = ""

    @property
    def folders(self):
        """The folders that have pictures when it is whole."""
        return ("train", "val") if self.paired else ("trainA", "trainB", "testA", "testB")

    @property
    def size_text(self):
        return "of unknown size" if self.size is None else "about " * self.about + readable(self.size)


def paired(name, size, md5, sides, terms, **more):
    return Entry(name, f"{PAIRED}/{name}.tar.gz", True, sides, terms, size, about=True, md5=md5, **more)


def unpaired(name, sides, terms, size=None, sha256=None, original=None, **more):
    return Entry(name, f"{UNPAIRED}/{original or name}.zip", False, sides, terms, size, sha256=sha256, **more)


BACKWARDS = {"direction": "BtoA", "hint": "labels to photos is --direction BtoA"}
PAIRED_TOO = "{} has the same kind of pictures in pairs"

ENTRIES = [
    paired("facades", 31_000_000, "e2e25dd517e9d15828416ab329da2854", "photos, label maps", FACADES, **BACKWARDS),
    paired(
        *("maps", 246_000_000, "e5f65d26eb288457f5ac056deb94d154", "photos from the air, maps", GOOGLE),
        hint="maps to photos is --direction BtoA",
    ),
    paired("edges2shoes", 2_200_000_000, "71da478b54fedde126e234a2a050bc15", "edges, photos", ZAPPOS),
    paired("edges2handbags", 8_600_000_000, "815592f22fa7f7534a286a25bb73bf03", "edges, photos", UNKNOWN),
    unpaired(
        *("horse2zebra", "horses, zebras", RESEARCH, 116_867_962),
        "a74d9d392eecca9966b51287a76ca126af473d9de4f3e8fc0e9cda08fa1730a1",
    ),
    unpaired(
        *("apple2orange", "apples, oranges", RESEARCH, 78_456_409),
        "845a191e9af8926408ea597001cd03a452e3300a1f44a79fe329b3d59f6e3eb8",
    ),
    unpaired(
        *("summer2winter_yosemite", "summer, winter", UNKNOWN, 132_640_856),
        "167fe1726807a9d22bd106b4a6c0bd7953b688af924ac1bf967439c4961e49f9",
    ),
    unpaired(
        *("facades-unpaired", "photos and label maps, `check` shows which is which", FACADES, 35_135_868),
        *("9a31ebf3a31b9b5cd195dd5bf62e9308e00cb94604d1019e3889ac84248695c0", "facades"),
        hint=PAIRED_TOO.format("facades"),
    ),
    unpaired(
        *("maps-unpaired", "photos and maps, `check` shows which is which", GOOGLE, 1_476_754_427),
        *("639534f69dbf9f36bef8d6292a7698006361221f83f0285d7c9ca78afe6e8a9e", "maps"),
        hint=PAIRED_TOO.format("maps"),
    ),
    unpaired("vangogh2photo", "paintings, photos", UNKNOWN),
    unpaired("monet2photo", "paintings, photos", UNKNOWN),
    unpaired("cezanne2photo", "paintings, photos", UNKNOWN),
    unpaired("ukiyoe2photo", "woodblock prints, photos", UNKNOWN),
    unpaired("iphone2dslr_flower", "photos by telephones, photos by cameras", UNKNOWN),
]
CATALOGUE = {entry.name: entry for entry in ENTRIES}


def readable(size):
    """A number of bytes as one would say it: 31 MB, 2.2 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6))} MB"


def how_to_get(name):
    """What to type for a data set that is not here, with a space behind it; nothing for a name nobody knows."""
    entry = CATALOGUE.get(str(name))
    if entry is None:
        return ""
    kind = "paired" if entry.paired else "unpaired"
    return f"python -m keras_gan.datasets download {name} fetches it ({kind}, {entry.size_text}); "


def listing():
    """The catalogue as text."""
    parts = []
    for kind, is_paired in (("Pairs, A in the left half", True), ("Unpaired, A in trainA and testA", False)):
        parts.append(f"{kind}:")
        parts += [described(entry) for entry in ENTRIES if entry.paired == is_paired]
    parts.append(
        "facades and maps come in both kinds: the unpaired ones are named facades-unpaired and maps-unpaired.\n"
        "Archives are compared with a SHA-256 where it is known; those of pairs with an MD5 that nobody confirmed."
    )
    return "\n\n".join(parts)


def described(entry):
    """A few lines on a data set."""
    lines = [f"{entry.name:<24}{entry.size_text}", f"A, B: {entry.sides}", f"terms: {entry.terms}"]
    if entry.hint:
        lines.append(entry.hint)
    return "  " + lines[0] + "\n" + textwrap.indent("\n".join(lines[1:]), " " * 6)
